"""Checks of padding: what fills up a batch must change nothing for the tokens that are real."""

import torch
from torch import Tensor

from llmcourse.checks.core import CheckFailed, Function, close, judge, normal
from llmcourse.checks.self_attention import AREA, NAME, Case, causal_mask, expected_output, make_case, run

BOTH = "A token may read a key if it is real AND not in the future: combine the two masks with &."


def check_padding(module_class: Function, seed: int = 0) -> None:
    """Padding changes nothing: real tokens get what they get when the padding is taken out of the sequence.

    A layer that is wrong without padding too loses points for that elsewhere; here it need only not read padding.
    """
    case = make_case(module_class, seed, n_tokens=8)
    if not is_sound(case):
        # one head: heads that are cut or merged wrongly have their own points too
        alone = make_case(module_class, seed, n_tokens=8, n_heads=1)
        if not is_sound(alone):
            return ignores_padding(alone, gaps(alone, seed))
        case = alone
    is_real = gaps(case, seed)
    actual = run(case, case.vectors, is_real)
    name_padding_mistake(case, actual, is_real)
    equals_unpadded(case, actual, is_real)
    expected = expected_output(case, causal_mask(is_real.shape[1]) & is_real[:, None, None, :])
    judge(AREA, f"{NAME} with padding", actual[is_real], expected[is_real], "N D")


def is_sound(case: Case) -> bool:
    """Whether the layer is right where there is no padding."""
    try:
        return close(run(case, case.vectors), expected_output(case, causal_mask(case.vectors.shape[1])))
    except CheckFailed:
        return False


def gaps(case: Case, seed: int) -> Tensor:
    """A mask with padding behind the first token of each row, so that every query has something to read."""
    is_real = torch.ones(case.vectors.shape[:2], dtype=torch.bool)
    for row in range(len(is_real)):
        first = 1 + row % 3
        is_real[row, first : first + 2 + (row + seed) % 2] = False
    return is_real


def padded_places(is_real: Tensor, row: int) -> list[int]:
    return (~is_real[row]).nonzero().flatten().tolist()


def equals_unpadded(case: Case, actual: Tensor, is_real: Tensor) -> None:
    """Raises: CheckFailed when a padded sequence gives other results than the same sequence without padding."""
    for row, alone in enumerate(without_padding(case, is_real)):
        if actual[row, is_real[row]].isnan().any():
            message = "With padding, real tokens come out as NaN, though each has something to read."
            raise CheckFailed("attention.nan", message)
        if not close(actual[row, is_real[row]], alone):
            message = (
                f"In row {row} of the batch, positions {padded_places(is_real, row)} are padding, and still they "
                "matter: real tokens get other results than the same sequence gives without the padding."
            )
            raise CheckFailed("attention.padding-leak", message)


def without_padding(case: Case, is_real: Tensor) -> list[Tensor]:
    """What the real tokens of each row get when nothing else stands in their sequence; rows of one length together."""
    found: dict[int, Tensor] = {}
    lengths = is_real.sum(-1)
    for length in lengths.unique():
        rows = (lengths == length).nonzero().flatten()
        kept = case.vectors[rows][is_real[rows]].unflatten(0, (len(rows), -1))
        found.update(zip(rows.tolist(), run(case, kept), strict=True))
    return [found[row] for row in range(len(is_real))]


def ignores_padding(case: Case, is_real: Tensor) -> None:
    """Raises: CheckFailed when other numbers in the padding move the results of real tokens."""
    noise = normal(1, *case.vectors.shape).masked_fill(is_real[..., None], 0)
    before, after = run(case, case.vectors, is_real), run(case, case.vectors + noise, is_real)
    if not close(before[is_real], after[is_real]):
        message = (
            f"In row 0 of the batch, positions {padded_places(is_real, 0)} are padding, and still they matter: "
            "changing the numbers that stand there changes the results of real tokens."
        )
        raise CheckFailed("attention.padding-leak", message)


def name_padding_mistake(case: Case, actual: Tensor, is_real: Tensor) -> None:
    """Raises: CheckFailed when the output is that of a usual mistake with the two masks."""
    causal, keys = causal_mask(is_real.shape[1]), is_real[:, None, None, :]
    queries = is_real[:, None, :, None]
    if close(actual[is_real], expected_output(case, causal & keys)[is_real]):
        return
    inverted = "is_real is True where a token is REAL; you forbid those and read the padding."
    along = "The mask goes along the queries; it is the padding's keys that nobody may read."
    wrong = [
        ("padding-masks-queries", along, causal & queries),
        ("padding-ignored", f"is_real changes nothing: padding is read like any other token. {BOTH}", causal),
        ("padding-replaces-causal", f"With is_real given, tokens read their future. {BOTH}", keys),
        ("padding-or-causal", f"Your masks are combined with `or`. {BOTH}", causal | keys),
        ("padding-inverted", inverted, causal & ~keys),
    ]
    for code, message, mask in wrong:
        # where a mistake leaves a query nothing to read, the result is NaN: at the padding too
        if torch.allclose(actual.nan_to_num(7.0), expected_output(case, mask).nan_to_num(7.0), rtol=1e-4, atol=1e-5):
            raise CheckFailed(f"attention.{code}", message)
