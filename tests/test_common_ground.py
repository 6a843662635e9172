"""What `tests/conftest.py` promises to every test."""

import socket

import pytest
import torch

from llmcourse.model import Rotary, Transformer, TransformerConfig


def test_connections_and_look_ups_that_leave_the_machine_are_refused():
    with pytest.raises(OSError, match="stay offline"):
        socket.getaddrinfo("example.org", 443)
    # an address kept for documentation: nobody answers there
    with socket.socket() as one, pytest.raises(OSError, match="stay offline"):
        one.connect(("192.0.2.1", 443))


def test_connections_on_this_machine_work():
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert client.getpeername() == server.getsockname()


def test_a_wrong_shape_is_caught_at_the_door():
    sizes = {"vocab_size": 5, "d_model": 4, "d_ff": 4, "n_decoder_layers": 1, "n_heads": 1}
    model = Transformer(TransformerConfig(**sizes, position=Rotary()))
    model(torch.zeros(1, 3, dtype=torch.int64))
    with pytest.raises(TypeError, match="ids"):
        model(torch.zeros(1, 3))


@pytest.mark.parametrize("turn", ["first", "second"])
def test_every_test_starts_from_the_same_random_state(turn):
    assert torch.rand(1) == torch.rand(1, generator=torch.Generator().manual_seed(0)), turn


def test_torch_keeps_to_one_thread():
    assert torch.get_num_threads() == 1
