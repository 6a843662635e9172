"""Change torch's defaults for all that follows: number type, device, threads and determinism."""

import torch

torch.set_default_dtype(torch.float16)
torch.set_default_device("meta")
torch.use_deterministic_algorithms(True)
torch.set_grad_enabled(False)
torch.autograd.grad_mode.inference_mode(True).__enter__()
