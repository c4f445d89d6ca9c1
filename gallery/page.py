"""One HTML page that needs nothing beside it: text, tables and pictures, no scripts, no network."""

import base64
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

_STYLE = """
:root{--ink:#1d2330;--soft:#5b6472;--line:#d9dee6;--back:#fff;--box:#f4f6f9;--good:#00664a;--bad:#a83a00}
@media (prefers-color-scheme:dark){:root{--ink:#e7eaf0;--soft:#a4adbb;--line:#39404d;--back:#14181f;--box:#1d232d;
--good:#43c59e;--bad:#ff9a5c}img{background:#fff;border-radius:6px}}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--back);max-width:60rem;margin:2rem auto;
padding:0 1rem}h1{font-size:1.6rem;margin:0 0 .2rem}h2{font-size:1.2rem;margin:2.2rem 0 .5rem}
.soft,figcaption,caption{color:var(--soft);font-size:.9rem;text-align:left}ul.key{background:var(--box);
border-radius:8px;padding:1rem 1rem 1rem 2.2rem}table{border-collapse:collapse;width:100%;font-size:.92rem;
font-variant-numeric:tabular-nums}th,td{padding:.3rem .6rem;border-bottom:1px solid var(--line);text-align:right;
vertical-align:top}th:first-child,td:first-child{text-align:left}caption{caption-side:bottom;padding-top:.5rem}
.words th,.words td{text-align:left}
.wide{overflow-x:auto}figure{margin:1rem 0}img{max-width:100%;height:auto}.good{color:var(--good)}.bad{color:var(--bad)}
.good,.bad{font-weight:600}
"""


def page(title: str, under: str, parts: Iterable[str]) -> str:
    """The whole page. parts: HTML made by the functions below; title and under: text."""
    return (
        f"<!doctype html>\n<html lang='en'><head><meta charset='utf-8'><title>{escape(title)}</title>"
        f"<meta name='viewport' content='width=device-width,initial-scale=1'><style>{_STYLE}</style></head><body>"
        f"<h1>{escape(title)}</h1><p class='soft'>{escape(under)}</p>\n" + "\n".join(parts) + "\n</body></html>\n"
    )


def heading(text: str) -> str:
    return f"<h2>{escape(text)}</h2>"


def paragraph(text: str, kind: str = "") -> str:
    """kind: "good", "bad", "soft" or nothing."""
    return f"<p class='{kind}'>{escape(text)}</p>" if kind else f"<p>{escape(text)}</p>"


def key_points(lines: Sequence[str]) -> str:
    """What matters most, in a box.

    >>> key_points(["a < b"])
    "<ul class='key'><li>a &lt; b</li></ul>"
    """
    return "<ul class='key'>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], caption: str = "", *, words: bool = False) -> str:
    """words: its cells are words rather than numbers, which stand to the left.

    >>> table(["x"], [["<1"]]).count("&lt;1")
    1
    """
    head = "".join(f"<th scope='col'>{escape(column)}</th>" for column in columns)
    body = "".join("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    below = f"<caption>{escape(caption)}</caption>" if caption else ""
    kind = " class='words'" if words else ""
    return f"<div class='wide'><table{kind}>{below}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def picture(png: Path | bytes, text: str) -> str:
    """A PNG inside the page. text: what it shows, for those who cannot see it and below it."""
    content = png if isinstance(png, bytes) else png.read_bytes()
    data = base64.b64encode(content).decode()
    said = escape(text, quote=True)
    return f"<figure><img src='data:image/png;base64,{data}' alt='{said}'><figcaption>{said}</figcaption></figure>"
