"""How figures and values are written on pages."""

from __future__ import annotations

import re
import shlex
from typing import Any

from django import template
from django.http import HttpRequest
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

CONTROLS = {code: 0x2400 + code for code in range(32)} | {127: 0x2421}
# Marks that turn the direction of what follows them: shown as what they are, they cannot disguise a value.
CONTROLS |= dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x61C], 0xFFFD)
# What is not seen at all, so that one value looks like another; and controls of old terminals.
CONTROLS |= dict.fromkeys([0xAD, 0x180E, *range(0x200B, 0x200E), *range(0x2060, 0x2065), 0xFEFF], 0xFFFD)
CONTROLS |= dict.fromkeys([*range(0x80, 0xA0), 0x2028, 0x2029, *range(0xE0000, 0xE0080)], 0xFFFD)


@register.filter
def number(value: Any) -> str:
    """1234567 -> 1,234,567; None -> nothing."""
    return "" if value is None or value == "" else f"{value:,.0f}" if isinstance(value, float) else f"{value:,}"


@register.filter
def size(value: Any) -> str:
    """Bytes as 9.1 MB (powers of 1000, as in the sentence above a result)."""
    if value is None or value == "":
        return ""
    amount = float(value)
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if abs(amount) < 1000 or unit == "TB":
            break
        amount /= 1000
    return f"{amount:,.0f} {unit}" if unit == "bytes" or amount >= 100 else f"{amount:,.1f} {unit}"


@register.filter
def bits(bytes_a_second: Any) -> str:
    """Bytes a second as bits a second: 1234567 -> 9.9 Mbit/s."""
    if bytes_a_second is None or bytes_a_second == "":
        return ""
    amount = 8 * float(bytes_a_second)
    for unit in ("bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"):
        if abs(amount) < 1000 or unit == "Tbit/s":
            break
        amount /= 1000
    return f"{amount:,.0f} {unit}" if unit == "bit/s" or amount >= 100 else f"{amount:,.1f} {unit}"


@register.filter
def duration(seconds: Any) -> str:
    """Seconds as 0.3 s, 12 s, 3 min 5 s, 2 h 10 min."""
    if seconds is None or seconds == "":
        return ""
    amount = float(seconds)
    if amount < 10:
        return f"{amount:.1f} s"
    whole = round(amount)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600:,} h {whole % 3600 // 60} min"


@register.filter
def microseconds(count: Any) -> str:
    """A length of time as 850 µs, 12.3 ms, 1.25 s, and from a minute on as `duration` has it."""
    if count is None or count == "":
        return ""
    amount = float(count)
    if amount < 1000:
        return f"{amount:.0f} µs"
    if amount < 999_500:
        return f"{amount / 1000:.3g} ms"
    return f"{amount / 1e6:.3g} s" if amount < 60e6 else duration(amount / 1e6)


@register.filter
def instant(text: str | None) -> str:
    """2012-04-02T02:28:30.293035000Z -> 2012-04-02 02:28:30.293035: zeros that say nothing are left out."""
    if not text:
        return ""
    day, _, clock = text.removesuffix("Z").partition("T")
    return f"{day} {trimmed(clock)}" if clock else text


@register.filter
def clock(text: str | None) -> str:
    """The time of day of an instant."""
    return trimmed((text or "").removesuffix("Z").partition("T")[2]) or (text or "")


@register.filter
def moment(text: str | None) -> str:
    """2012-04-02T02:28:30Z -> 2012-04-02 02:28:30, with as many decimals as it has; what is no time stays as it is."""
    return (text or "").removesuffix("Z").replace("T", " ")


@register.filter
def second(text: str | None) -> str:
    """An instant to the second."""
    return (text or "")[:19].replace("T", " ")


def trimmed(clock: str) -> str:
    """Nanoseconds as microseconds where the last three digits are zero."""
    return clock[:-3] if len(clock) == 18 and clock.endswith("000") else clock


@register.filter
def visible(value: Any) -> str:
    """A value with its control characters made visible."""
    return str(value).translate(CONTROLS) or "(empty)"


@register.filter
def ticks(text: str) -> SafeString:
    """The registry's descriptions: `word` as code."""
    return mark_safe(re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text)))


@register.simple_tag(takes_context=True)
def with_query(context: dict[str, Any], **changes: Any) -> str:
    """This page's query string with some parameters set (None: taken out)."""
    request: HttpRequest = context["request"]
    query = request.GET.copy()
    for name, value in changes.items():
        query.pop(name, None)
        if value is not None:
            query[name] = str(value)
    return f"?{query.urlencode()}"


@register.simple_tag
def shell_word(name: str, value: str) -> str:
    """name=value as one word of a POSIX shell."""
    return shlex.quote(f"{name}={value}")


@register.filter
def shell_interface(name: str) -> str:
    """An interface's name as one word of a shell. Names are in the text form of values (\\xNN, a backslash doubled), which is
    what stands between $' and ' in bash."""
    if "\\" not in name:
        return shlex.quote(name)
    return "$'" + name.replace("'", "\\'") + "'"


@register.simple_tag
def shell_text(value: str) -> str:
    """A text as one word of a POSIX shell."""
    return shlex.quote(value)
