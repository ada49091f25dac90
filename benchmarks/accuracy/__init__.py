"""Our values against tshark's, on every capture of ../shared/pcaps: `script/accuracy` writes docs/accuracy.md.

corpus     the captures, their truth, plain files of compressed ones
column     values of a field by packet; found: all columns of a capture
claim      what our columns say of a table of the truth, and how the two differ
records, headers, applications, protocols: the quantities, each with how it follows from our fields
filters    BPF counts
rules      every difference that has a reason; reasons: the reasons in words
comparison the whole comparison; report: as a page
"""
