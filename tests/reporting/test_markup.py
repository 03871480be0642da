import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaling.reporting import markup


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("a **b** *c* `d*e*`", "<p>a <strong>b</strong> <em>c</em> <code>d*e*</code></p>"),
        ("2 * 3 * 4 and N*D*C", "<p>2 * 3 * 4 and N*D*C</p>"),
        ("a < b & `c < d`", "<p>a &lt; b &amp; <code>c &lt; d</code></p>"),
        ("- one\n- *two*", "<ul><li>one</li><li><em>two</em></li></ul>"),
        ("    x\n      y", '<pre tabindex="0"><code>x\n  y</code></pre>'),
    ],
)
def test_marks_become_html(text, html):
    assert markup.html_block(text) == html


@given(st.text())
def test_no_text_brings_its_own_tags(text):
    html = markup.html_block(text)
    for tag in ("p", "ul", "li", 'pre tabindex="0"', "code", "strong", "em"):
        html = html.replace(f"<{tag}>", "").replace(f"</{tag.split()[0]}>", "")
    assert "<" not in html and ">" not in html


def test_markdown_escapes_what_github_would_take_for_html_or_mathematics():
    assert markup.markdown("**a** < $b$ & `c < $d`") == r"**a** &lt; \$b\$ &amp; `c < $d`"
    assert markup.markdown("    a < b") == "    a < b"
    assert markup.cell("a|b\n`c`") == r"a\|b \`c\`"
    assert markup.code("a `b`\nc") == "`a 'b' c`"
