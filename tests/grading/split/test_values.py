"""Every kind of value, there and back."""

import random
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from llmcourse.data import Batch
from llmcourse.grading.split.agreed import DTYPES, Uncrossable
from llmcourse.grading.split.proxies import Remote
from tests.grading.split.both import both


def same(value: Any) -> Any:
    return value


PLAIN = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**200), 2**200),
    st.floats(allow_nan=False),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.binary(),
)
VALUES = st.recursive(
    PLAIN,
    lambda inner: (
        st.lists(inner, max_size=4) | st.tuples(inner, inner) | st.dictionaries(st.text("ab"), inner, max_size=3)
    ),
    max_leaves=12,
)


def test_plain_values_are_the_same_after_a_round_trip() -> None:
    with both(same=same) as sides:
        function = sides["same"]

        @settings(max_examples=80, deadline=None, database=None)
        @given(VALUES)
        def check(value: Any) -> None:
            back = function(value)
            assert back == value
            assert type(back) is type(value)

        check()


@pytest.mark.parametrize("name", DTYPES)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3), (2, 0, 4)])
def test_tensors_keep_their_bits(name: str, shape: tuple[int, ...]) -> None:
    tensor = (torch.rand(shape) * 100).to(DTYPES[name])
    with both(same=same) as sides:
        back = sides["same"](tensor)
    assert type(back) is torch.Tensor
    assert back.dtype == tensor.dtype
    assert torch.equal(back, tensor)


def test_layouts_and_numbers_that_are_no_numbers_cross() -> None:
    odd = torch.tensor([float("nan"), float("inf"), -0.0])
    turned = torch.arange(6.0).reshape(2, 3).mT
    with both(same=same) as sides:
        function = sides["same"]
        assert torch.equal(function(turned), turned)
        assert torch.equal(function(torch.ones(1, 1).expand(2, 3)), torch.ones(2, 3))
        back = function(odd)
        assert function(torch.tensor([1 + 2j]).conj()).item() == 1 - 2j
    assert torch.equal(back.view(torch.int32), odd.view(torch.int32))


def test_small_things_have_a_form_of_their_own() -> None:
    things = [torch.float64, torch.device("cpu"), slice(1, None, 2), ..., NotImplemented, int, {1, 2}, frozenset({"a"})]
    with both(same=same) as sides:
        assert sides["same"](things) == things
        assert sides["same"](OrderedDict(a=1)) == {"a": 1}
        assert sides["same"](torch.Size([2, 3])) == (2, 3)


def test_numbers_of_numpy_arrive_as_plain_ones() -> None:
    with both(number=lambda: (np.float64(0.5), np.int32(3), np.bool_(True))) as sides:
        assert sides["number"]() == (0.5, 3, True)


def test_a_batch_is_a_batch_and_comes_back_as_itself() -> None:
    batch = Batch(torch.zeros(1, 2, dtype=torch.long), torch.ones(1, 2, dtype=torch.long))
    made = Batch(batch.targets, batch.inputs)
    with both(same=same, make=lambda: made, count=lambda b: b.n_targets) as sides:
        assert sides["same"]([batch, batch])[1] is batch
        assert sides["count"](batch) == 2
        back = sides["make"]()
        assert isinstance(back, Batch)
        assert torch.equal(back.inputs, batch.targets)


@dataclass
class Point:
    x: int
    y: float = 0.5

    def __add__(self, other: "Point") -> "Point":
        return Point(self.x + other.x, self.y + other.y)

    def __len__(self) -> int:
        return self.x


def test_a_students_own_object_is_used_from_afar() -> None:
    with both(Point=Point, points=[Point(1), Point(2)]) as sides:
        point = sides["Point"](3)
        assert type(point).__name__ == "Point"
        assert (point.x, point.y, len(point)) == (3, 0.5, 3)
        point.x = 7
        assert point.x == 7
        assert (point + sides["Point"](1)).x == 8
        assert sides["points"][1].x == 2
        with pytest.raises(AttributeError):
            _ = point.z


def test_an_object_from_afar_is_neither_true_nor_false_and_equals_only_itself() -> None:
    everything = type("Equal", (), {"__eq__": lambda a, b: True, "__bool__": lambda a: True, "__hash__": None})
    with both(it=everything(), other=everything()) as sides:
        it = sides["it"]
        assert isinstance(it, Remote)
        assert it == it
        assert it != sides["other"]
        assert it != 1
        assert sides["it"] is it
        with pytest.raises(TypeError, match="neither true nor false"):
            assert it


def test_functions_call_back_and_stay_themselves() -> None:
    seen = []

    def note(number: int, scale: int = 1) -> int:
        seen.append(number)
        return number * scale

    def twice(function: Any) -> Any:
        return function(2, scale=3) + function(1), function

    with both(twice=twice) as sides:
        total, function = sides["twice"](note)
    assert (total, seen) == (7, [2, 1])
    assert function is note


def test_generators_run_one_step_at_a_time() -> None:
    steps = []

    def count(limit: Any) -> Any:
        for number in range(limit()):
            steps.append(number)
            yield number

    with both(count=count) as sides:
        numbers = sides["count"](lambda: 3)
        assert not steps
        assert next(numbers) == 0
        assert steps == [0]
        assert list(numbers) == [1, 2]
        assert list(numbers) == []


def test_the_checkers_iterators_can_be_walked_through_once() -> None:
    with both(walk=lambda items: (list(items), list(items))) as sides:
        assert sides["walk"](iter([1, 2])) == ([1, 2], [])


def test_what_is_lent_comes_back_changed() -> None:
    def spoil(tensor: Any, numbers: Any, table: Any) -> None:
        tensor.mul_(2)
        numbers.append([9])
        numbers[0].append(8)
        table["new"] = tensor

    tensor, inner, table = torch.ones(2), [1], {"old": 0}
    numbers = [inner]
    with both(spoil=spoil, look=lambda *things: None) as sides:
        sides["look"](tensor, numbers, table)
        assert numbers[0] is inner
        sides["spoil"](tensor, numbers, table)
    assert torch.equal(tensor, torch.full((2,), 2.0))
    assert numbers == [[1, 8], [9]]
    assert torch.equal(table["new"], tensor)


def test_random_numbers_of_a_generator_flow_from_the_checker_and_not_back() -> None:
    def draw(generator: Any) -> Any:
        return torch.rand(3, generator=generator)

    expected = torch.rand(9, generator=torch.Generator().manual_seed(5)).split(3)
    with both(draw=draw, spoil=lambda generator: (generator.manual_seed(1), None)[1]) as sides:
        generator = torch.Generator().manual_seed(5)
        assert torch.equal(sides["draw"](generator), expected[0])
        assert torch.equal(sides["draw"](generator), expected[1])  # the student's copy goes on
        generator.manual_seed(5)
        assert torch.equal(sides["draw"](generator), expected[0])
        left = torch.rand(3, generator=generator)
        other = torch.Generator().manual_seed(5)
        sides["spoil"](other)
        assert torch.equal(torch.rand(3, generator=other), left)  # whatever was drawn or set over there


@pytest.mark.parametrize("thing", [random, torch.ones(2, device="meta"), 2**5000, torch.eye(2).to_sparse()])
def test_what_cannot_cross_says_so_and_breaks_nothing(thing: Any) -> None:
    with both(same=same, give=lambda: [nn.Linear(1, 1), thing]) as sides:
        with pytest.raises(Uncrossable, match="cross"):
            sides["same"](thing)
        with pytest.raises(RuntimeError, match="cross"):
            sides["give"]()
        assert sides["same"](1) == 1


def test_deep_nesting_is_refused_on_the_way_out() -> None:
    deep: list[Any] = []
    for _ in range(60):
        deep = [deep]
    with both(same=same) as sides, pytest.raises(Uncrossable, match="nested"):
        sides["same"](deep)
