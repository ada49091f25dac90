"""docs/performance.md: each section is replaced on its own."""

from __future__ import annotations

from benchmarks.page import HEAD, PAGE, replaced
from benchmarks.timing import Subject, measure, per_second


def test_a_new_section_comes_last_and_an_old_one_stays_in_its_place() -> None:
    page = replaced(replaced(HEAD, "one", "first \\1 text"), "two", "second")
    assert page.index("first \\1 text") < page.index("second")
    again = replaced(page, "one", "other")
    assert "first" not in again and again.index("other") < again.index("second")
    assert again.startswith(HEAD.rstrip()) and replaced(again, "one", "other") == again


def test_the_page_has_all_sections() -> None:
    page = PAGE.read_text()
    for section in ("speed", "memory", "compiling"):
        assert page.count(f"<!-- begin {section} -->") == page.count(f"<!-- end {section} -->") == 1


def test_rates_have_three_digits() -> None:
    assert [per_second(rate) for rate in (999.6, 45_240, 1_234_567, 12_345_678, 0.4)] == [
        "1000",
        "45.2 k",
        "1.23 M",
        "12.3 M",
        "0",
    ]


def test_rounds_go_in_turns_and_the_first_does_not_count() -> None:
    ran: list[str] = []
    subjects = [Subject(name, "", lambda name=name: ran.append(name) or 5) for name in "ab"]  # type: ignore[misc, func-returns-value]
    measure(subjects, 2)
    assert "".join(ran) == "ababab"
    assert [(len(s.seconds), len(s.cpu), s.packets) for s in subjects] == [(2, 2, 5)] * 2
