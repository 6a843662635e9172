import pytest
import torch

from llmcourse.data import IGNORE, Batch
from llmcourse.finetune import ExampleBatches, accuracy
from llmcourse.finetune.examples import pad_left, pad_right


def numbers(examples):
    return Batch(torch.tensor(examples)[:, None], torch.tensor(examples)[:, None])


def test_an_epoch_holds_each_example_once_and_the_next_epoch_has_another_order():
    batches = ExampleBatches(range(12), numbers, batch_size=4, seed=5)
    epochs = [[int(i) for step in range(3) for i in batches.batch(3 * e + step).inputs] for e in range(2)]
    assert [sorted(epoch) for epoch in epochs] == [list(range(12))] * 2
    assert epochs[0] != epochs[1]
    assert len(batches) == 3


def test_a_batch_depends_on_the_step_and_the_seed_alone():
    batches = ExampleBatches(range(10), numbers, batch_size=4, seed=5)
    straight = [batches.batch(step).inputs for step in range(6)]
    again = ExampleBatches(range(10), numbers, batch_size=4, seed=5)
    for step in (5, 0, 3):
        assert torch.equal(again.batch(step).inputs, straight[step])
    other = ExampleBatches(range(10), numbers, batch_size=4, seed=6)
    assert any(not torch.equal(other.batch(step).inputs, straight[step]) for step in range(3))


def test_in_order_gives_every_example_once_as_they_came():
    parts = ExampleBatches(range(10), numbers, batch_size=4).in_order()
    assert torch.cat([part.inputs for part in parts])[:, 0].tolist() == list(range(10))


@pytest.mark.parametrize(("examples", "batch_size", "message"), [([], 4, "no examples"), ([1], 0, "at least 1, not 0")])
def test_batches_of_nothing_are_refused(examples, batch_size, message):
    with pytest.raises(ValueError, match=message):
        ExampleBatches(examples, numbers, batch_size)


def test_padding_stands_at_the_side_that_was_asked_for():
    assert pad_right([[1, 2, 3], [4]], IGNORE).tolist() == [[1, 2, 3], [4, IGNORE, IGNORE]]
    ids, is_real = pad_left([[1, 2, 3], [4]])
    assert ids[0].tolist() == [1, 2, 3]
    assert ids[1, -1] == 4
    assert is_real.tolist() == [[True] * 3, [False, False, True]]


def test_accuracy_counts_answers_that_are_equal_letter_by_letter():
    result = accuracy(["yes", "no", "No", "yes"], ["yes", "no", "no", "no"])
    assert (result.n_right, result.n, result.share) == (2, 4, 0.5)
    assert result.stderr == pytest.approx(0.25)


@pytest.mark.parametrize(("given", "true"), [([], []), (["a"], ["a", "b"])])
def test_accuracy_needs_one_true_answer_for_each(given, true):
    with pytest.raises(ValueError, match="Each answer needs its true one"):
        accuracy(given, true)
