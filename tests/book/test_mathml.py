import xml.etree.ElementTree as ET

import pytest

from llmcourse.book.mathml import UnsupportedMath, to_mathml


def tags(markup: str) -> list[str]:
    return [element.tag.rpartition("}")[2] for element in ET.fromstring(markup).iter()]


def text_of(markup: str) -> str:
    return "".join(ET.fromstring(markup).itertext())


def test_a_display_formula_is_a_block_and_an_inline_one_is_not() -> None:
    assert ET.fromstring(to_mathml("x", display=True)).get("display") == "block"
    assert ET.fromstring(to_mathml("x")).get("display") == "inline"


def test_the_source_stays_with_the_formula_for_readers_who_cannot_see_it() -> None:
    assert ET.fromstring(to_mathml(r" \frac{a}{b} ")).get("alttext") == r"\frac{a}{b}"


def test_a_function_name_is_one_upright_identifier() -> None:
    for latex in (r"\operatorname{softmax}(x)", r"\mathrm{softmax}(x)"):
        names = [leaf for leaf in ET.fromstring(to_mathml(latex)).iter() if leaf.text == "softmax"]
        assert [leaf.tag.rpartition("}")[2] for leaf in names] == ["mi"]


def test_a_function_without_brackets_is_parted_from_its_argument() -> None:
    assert "mspace" in tags(to_mathml(r"\log p"))
    assert "mspace" in tags(to_mathml(r"\log_2 p"))
    assert "mspace" not in tags(to_mathml(r"\log(p)"))


@pytest.mark.parametrize("environment", ["aligned", "align", "align*", "split"])
def test_equations_line_up_at_the_ampersand_and_number_nothing(environment: str) -> None:
    markup = to_mathml(rf"\begin{{{environment}}} a &= b \\ c &= d \end{{{environment}}}", display=True)
    cells = [cell for cell in ET.fromstring(markup).iter() if cell.tag.endswith("mtd")]
    assert [cell.get("style") for cell in cells] == ["text-align: right", "text-align: left"] * 2
    assert all(cell.get("columnalign") is None for cell in cells)
    assert text_of(markup) == "a=bc=d"


@pytest.mark.parametrize(
    "latex",
    [r"\nosuchcommand{x}", r"\frac{a", r"\frac{a}", r"a & b", r"\begin{nosuch} a \end{nosuch}", r"x^", r"\left( x"],
)
def test_what_cannot_be_shown_is_refused_with_the_formula_in_the_message(latex: str) -> None:
    with pytest.raises(UnsupportedMath) as caught:
        to_mathml(latex)
    assert latex in str(caught.value)


@pytest.mark.parametrize(
    "latex",
    [
        r"p(w_t \mid w_{<t})",
        r"H(p, q) = -\sum_{w \in V} p(w) \log q(w)",
        r"\operatorname{softmax}\left(\frac{Q K^\top}{\sqrt{d_k}} + M\right) V",
        r"\begin{cases} 0 & j \le i \\ -\infty & \text{otherwise} \end{cases}",
        r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}",
        r"\theta \leftarrow \theta - \eta \nabla_\theta \mathcal{L}",
        r"\hat{y} = \arg\max_w p(w)",
        r"\mathbf{W} \in \mathbb{R}^{d \times d}",
        r"\prod_{t=1}^{T} p_t, \quad \lVert g \rVert_2, \; \lfloor x \rfloor, \; a \cdot b \approx c \ldots",
        r"\operatorname{KL}(p \,\|\, q) \ge 0",
        r"\underbrace{x}_{\text{input}} \odot \overline{y} \to \tilde z",
    ],
)
def test_the_mathematics_of_the_course_is_understood(latex: str) -> None:
    assert "\\" not in text_of(to_mathml(latex, display=True))
