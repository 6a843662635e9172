"""Turn LaTeX mathematics into MathML while the book is built, so that pages need no script for it."""

import re
import xml.etree.ElementTree as ET

from latex2mathml.converter import convert

NAMESPACE = "http://www.w3.org/1998/Math/MathML"
# latex2mathml writes these as operators, which browsers pad on both sides; a name is an identifier
FUNCTION_NAME = re.compile(r"[A-Za-z\u2009]{2,}")
# Alignment inside an equation: the library knows the outer environments only, whose cells are the same
INNER_ENVIRONMENTS = dict.fromkeys(("aligned", "split", "gathered", "align", "gather"), "align*")
# The library passes over an environment that it does not know, and shows what stands inside
KNOWN_ENVIRONMENTS = {"align*", "cases", "array", "matrix", "pmatrix", "bmatrix", "Bmatrix", "vmatrix", "Vmatrix"}
SHORTHANDS = [(re.compile(r"\\arg\b\s*\\(max|min)\b"), r"\\arg\1"), (re.compile(r"\\arg\b"), r"\\operatorname{arg}")]
CHILDREN = {"mfrac": 2, "msub": 2, "msup": 2, "munder": 2, "mover": 2, "msubsup": 3, "munderover": 3}
# Browsers know only the variant "normal"; bold italic letters have characters of their own
BOLD_ITALIC = {ord(letter): 0x1D468 + place for place, letter in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZ")} | {
    ord(letter): 0x1D482 + place for place, letter in enumerate("abcdefghijklmnopqrstuvwxyz")
}
OPENERS = {"(", "[", "{", "|", "‖"}


class UnsupportedMath(ValueError):
    """The LaTeX uses something that cannot be shown."""


def to_mathml(latex: str, *, display: bool = False) -> str:
    """MathML for one formula.

    Raises: UnsupportedMath naming the first command or character that was not understood.
    """
    source = latex.strip()
    for inner, outer in INNER_ENVIRONMENTS.items():
        source = source.replace(rf"\begin{{{inner}}}", rf"\begin{{{outer}}}")
        source = source.replace(rf"\end{{{inner}}}", rf"\end{{{outer}}}")
    for pattern, replacement in SHORTHANDS:
        source = pattern.sub(replacement, source)
    unknown = set(re.findall(r"\\begin\{([^}]*)\}", source)) - KNOWN_ENVIRONMENTS
    if unknown:
        raise UnsupportedMath(f"no MathML is known for the environment {min(unknown)!r} in: {latex.strip()}")
    if len(re.findall(r"(?<!\\)\{", source)) != len(re.findall(r"(?<!\\)\}", source)):
        raise UnsupportedMath(f"the braces do not pair up in: {latex.strip()}")
    try:
        markup = convert(source, display="block" if display else "inline")
    except Exception as error:  # the library has many error classes and raises bare IndexErrors too
        raise UnsupportedMath(f"cannot read the formula ({type(error).__name__}): {latex.strip()}") from error
    ET.register_namespace("", NAMESPACE)
    try:
        tree = ET.fromstring(markup)
    except ET.ParseError as error:
        raise UnsupportedMath(f"the formula gives broken markup ({error}): {latex.strip()}") from error
    _refuse_leftovers(tree, latex)
    _join_upright_letters(tree)
    _name_functions(tree)
    _align_columns(tree)
    tree.set("alttext", latex.strip())
    return ET.tostring(tree, encoding="unicode")


def _refuse_leftovers(tree: ET.Element, latex: str) -> None:
    for element in tree.iter():
        text = (element.text or "").strip()
        if element.tag.endswith(("mi", "mo", "mn")) and (text.startswith("\\") or text == "&"):
            raise UnsupportedMath(f"no MathML is known for {text!r} in: {latex.strip()}")
        kind = element.tag.rpartition("}")[2]
        if len(element) != CHILDREN.get(kind, len(element)):
            raise UnsupportedMath(f"a part of a fraction, index or accent is missing in: {latex.strip()}")


def _join_upright_letters(tree: ET.Element) -> None:
    """Make one word of `mathrm`, which comes letter by letter, and letters that browsers know of bold symbols."""
    for parent in list(tree.iter()):
        previous: ET.Element | None = None
        for child in list(parent):
            variant = child.attrib.get("mathvariant") if child.tag.endswith("}mi") else None
            if variant == "bold-italic":
                child.text = (child.text or "").translate(BOLD_ITALIC)
                del child.attrib["mathvariant"]
            if variant == "normal" and previous is not None:
                previous.text = (previous.text or "") + (child.text or "")
                parent.remove(child)
            else:
                previous = child if variant == "normal" else None


def _name_functions(tree: ET.Element) -> None:
    """Make names of functions identifiers, and part them from an argument that has no bracket."""
    for parent in list(tree.iter()):
        children = list(parent)
        for place, child in enumerate(children):
            name = _function_name(child)
            if name is None:
                continue
            name.tag = f"{{{NAMESPACE}}}mi"
            in_a_row = parent.tag.endswith(("mrow", "mtd", "math", "msqrt")) and place + 1 < len(children)
            if in_a_row and _first_text(children[place + 1]) not in OPENERS:
                parent.insert(list(parent).index(child) + 1, ET.Element(f"{{{NAMESPACE}}}mspace", width="0.17em"))


def _function_name(element: ET.Element) -> ET.Element | None:
    """The leaf that holds a function's name, if `element` is one, with or without a sub- or superscript."""
    if element.tag.endswith(("msub", "msup", "msubsup", "munder")) and len(element):
        element = element[0]
    if element.tag.endswith(("}mi", "}mo")) and FUNCTION_NAME.fullmatch(element.text or ""):
        return element
    return None


def _first_text(element: ET.Element) -> str:
    return next((text for text in element.itertext() if text.strip()), "")


def _align_columns(tree: ET.Element) -> None:
    """Write alignment as style: browsers follow MathML Core, which has no columnalign."""
    for cell in tree.iter(f"{{{NAMESPACE}}}mtd"):
        side = cell.attrib.pop("columnalign", None)
        if side:
            cell.set("style", f"text-align: {side}")
