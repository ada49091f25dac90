"""Analysis of any packets: top values, histograms over time, cross-tables, comparisons. See docs/analysis.md."""
