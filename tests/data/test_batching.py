import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.data import IGNORE, DocumentBatches, WindowBatches, encode_documents, in_order, pad_documents


class Letters:
    def encode(self, text: str) -> list[int]:
        return [ord(letter) for letter in text]


DOCUMENTS = [[0, *range(10 * i, 10 * i + 3 + i), 0] for i in range(1, 8)]

document_lists = st.lists(st.lists(st.integers(0, 50), min_size=2, max_size=9), min_size=1, max_size=12)


def rows_of(batch) -> list[list[int]]:
    """The documents that a batch was made of, read back from its inputs and targets."""
    rows = []
    for inputs, targets, is_target in zip(batch.inputs, batch.targets, batch.is_target, strict=True):
        length = int(is_target.sum())
        assert is_target[:length].all()
        assert inputs[1:length].tolist() == targets[: length - 1].tolist()
        rows.append([*inputs[:length].tolist(), int(targets[length - 1])])
    return rows


def test_each_document_stands_between_two_ends():
    assert encode_documents(["ab", ""], Letters(), eos=7) == [[7, 97, 98, 7], [7, 7]]


def test_a_document_longer_than_the_context_is_named():
    encode_documents(["ab", "abc"], Letters(), eos=7, context=4)  # four to read: the end mark and three letters
    with pytest.raises(ValueError, match=r"Document 1 has 5 tokens to read, more than the context of 4"):
        encode_documents(["ab", "abcd"], Letters(), eos=7, context=4)


@given(document_lists)
def test_targets_are_the_inputs_shifted_by_one_and_padding_is_never_a_target(documents):
    batch = pad_documents(documents)
    assert rows_of(batch) == documents
    assert batch.n_targets == sum(len(ids) - 1 for ids in documents)
    assert (batch.targets[~batch.is_target] == IGNORE).all()


@given(document_lists, st.integers(1, 5), st.integers(0, 3), st.integers(1, 3))
def test_every_epoch_holds_every_document_once(documents, batch_size, seed, pool):
    batches = DocumentBatches(documents, batch_size, seed, pool)
    rows = [row for step in range(3 * len(batches)) for row in rows_of(batches.batch(step))]
    for epoch in range(3):
        assert sorted(rows[epoch * len(documents) : (epoch + 1) * len(documents)]) == sorted(documents)


def test_the_order_depends_on_seed_and_epoch_and_on_nothing_else():
    batches = DocumentBatches(DOCUMENTS, 7, seed=3)
    forwards = [rows_of(batches.batch(step)) for step in range(4)]
    backwards = [rows_of(DocumentBatches(DOCUMENTS, 7, seed=3).batch(step)) for step in reversed(range(4))]
    assert forwards == backwards[::-1]
    assert forwards[0] != forwards[1]
    assert forwards != [rows_of(DocumentBatches(DOCUMENTS, 7, seed=4).batch(step)) for step in range(4)]


def test_pooled_batches_pad_less_and_keep_their_order_random():
    documents = [[0, *range(1, 2 + (7 * i) % 40), 0] for i in range(64)]
    plain, pooled = (DocumentBatches(documents, 4, seed=2, pool=pool) for pool in (1, 8))
    padded = [sum(int((~b.batch(step).is_target).sum()) for step in range(16)) for b in (plain, pooled)]
    assert padded[1] < padded[0] / 3
    lengths = [pooled.batch(step).inputs.shape[1] for step in range(16)]
    assert lengths != sorted(lengths)
    assert lengths[:8] != sorted(lengths[:8])
    again = DocumentBatches(documents, 4, seed=2, pool=8)
    assert rows_of(again.batch(9)) == rows_of(pooled.batch(9))


@pytest.mark.parametrize(
    ("documents", "batch_size", "message"),
    [
        ([], 4, "no documents"),
        ([[1, 2], [1]], 4, "needs two ids"),
        ([[1, 2]], 0, "batch_size and pool must be at least 1, not 0"),
    ],
)
def test_documents_that_make_no_batch_are_refused(documents, batch_size, message):
    with pytest.raises(ValueError, match=message):
        DocumentBatches(documents, batch_size)


def test_evaluation_batches_hold_every_document_once_with_little_padding():
    batches = in_order(DOCUMENTS[::-1], 3)
    assert sorted(row for batch in batches for row in rows_of(batch)) == sorted(DOCUMENTS)
    assert sum(batch.targets.numel() for batch in batches) < len(DOCUMENTS) * max(map(len, DOCUMENTS))


@given(st.integers(8, 60), st.integers(1, 4), st.integers(1, 4), st.integers(0, 5))
def test_windows_follow_the_text_and_repeat_no_target_within_an_epoch(n_ids, batch_size, context, seed):
    batches = WindowBatches(range(n_ids), batch_size, context, seed)
    targets = []
    for step in range(2 * len(batches)):
        batch = batches.batch(step)
        assert batch.inputs.shape == (batch_size, context)
        assert torch.equal(batch.targets, batch.inputs + 1)  # the text counts upwards
        targets += batch.targets.flatten().tolist()
    one_epoch = targets[: batches.windows_per_epoch * context]
    assert len(set(one_epoch)) == len(one_epoch)
    assert n_ids - len(one_epoch) <= 2 * context  # and leaves out only ends


def test_every_token_but_the_first_becomes_a_target_sooner_or_later():
    batches = WindowBatches(range(23), 2, 5, seed=1)
    seen = {int(target) for step in range(200) for target in batches.batch(step).targets.flatten()}
    assert seen == set(range(1, 23))


def test_windows_depend_on_seed_and_step_alone():
    first = [WindowBatches(range(50), 3, 4, seed=9).batch(step).inputs for step in (5, 0)]
    batches = WindowBatches(range(50), 3, 4, seed=9)
    again = [batches.batch(step).inputs for step in (0, 5)]
    assert torch.equal(first[0], again[1])
    assert torch.equal(first[1], again[0])


def test_a_text_shorter_than_two_windows_is_refused():
    WindowBatches(range(8), 1, 4)
    with pytest.raises(ValueError, match="7 tokens are too few: windows of 4 need 8 or more"):
        WindowBatches(range(7), 1, 4)
