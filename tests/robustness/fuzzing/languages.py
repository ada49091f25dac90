"""Words and sentences of PQL and of display filters: what their fuzzers make texts of."""

from __future__ import annotations

from proxy.display.fields import meanings

PQL_SEEDS = (
    'Count(Intersect(Row(netsrc="10.0.0.1"), Not(Row(tcp="SYN"))))',
    'TopN(http-hostname, Row(netsrc in "10.0.0.0/8"), n=5, attrName="a", attrValues=[1, true, null, "x"])',
    "GroupBy(Rows(netsrc, limit=3), Rows(transdst, previous=4, column=1), filter=Row(length > 5), limit=10, offset=2)",
    'Sum(Row(1 < length <= 20), field=length) Min(field=length) Max(field="length")',
    'Bitmap(frame="http-useragent", rowID="curl/7.0\\"\\\\")',
    'Range(frame=f, rowID=1, start="2017-01-01T00:00", end="2018-01-01T00:00")',
    'Set(10, f=1, 2017-01-02T03:04) Clear(1, f="a") SetRowAttrs(f, 1, x=1.5) SetColumnAttrs(7, y=null) Store(Row(f=1), g=2)',
    'Options(Row(dns-qname like "*.example.com"), excludeColumns=true, shards=[0, 2]) Union() Shift(Row(f=1), n=3)',
    'Row(http-useragent matches "curl/[78]") Row(transdst in ["80", "443"]) ClearRow(f=1) Rows(f, from="2019-01-01T00:00")',
)
_CALLS = "Row Rows Count TopN GroupBy Union Intersect Difference Xor Not All Shift Options Sum Min Max Set Clear Store"
_NAMES = "Values Range Bitmap netsrc tcp length http-hostname in like matches between frame rowID field filter n limit"
_SIGNS = "true false null _col _row ( ) [ ] , = == != < <= > >= >< \" ' \\ \"a\" 'b' 1 -1 1.5 -0 2017-01-01T00:00 # :"
PQL_WORDS = (
    *_CALLS.split(),
    *_NAMES.split(),
    *_SIGNS.split(),
    "\n",
    "18446744073709551616",
    "FrameNumber",
    "Time",
    "previous",
    "from",
    "to",
)
_DISPLAY = (
    "and or not in any all && || ! ( ) { } [ ] , .. & == != < >= === ~= contains matches eq lower upper len count flow : 0x50"
)
_LITERALS = '-1 10.0.0.0/8 fe80::1 00:0c:29 "a" r"\\." \'a\' "(a" "[a-" 0:3 [0:3] [-1:] {1..5,7} "2012-04-02" True é #'


def display_words() -> tuple[str, ...]:
    return (*_DISPLAY.split(), *_LITERALS.split(), *sorted(meanings()))
