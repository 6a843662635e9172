"""The split checker: a submission's code and the instructor's tests run in two processes, and only values cross.

`pair` and `parent` fork a child for each side, which says on one socket (`frames`) what `peer` has it say:

- A request has `do` (see `Peer.perform`; on the checker's side `Checker.may` decides), `on`, `args`, `options`, `grad`.
- An answer has `ok`, `raise` or `stop`; what became of all that was `lent` with the request (`lending`); and
  the `graph`, `outputs` and `leaves` of tensors that gradients flow through (`graphs`).
- Every message has `changes` of what both sides keep equal (`states`), and the numbers of stand-ins that are `dead`
  (`tables`). The checker adds `seconds` and states of `chance`, the student's side what was `printed` (`sides`).

`writing` and `reading` give values their form. Plain ones are JSON, containers and constants a tag and what they hold.
The rest has a kind, `k`, and where it is known by number, `n`:

- `tensor`: a copy · `cut`: a copy in a request, with a graph behind it · `out`: a tensor of an answer, with one
- `leaf`, `parameter`: a tensor kept equal · `module`, `optimizer`: stand-ins (`proxies`) made of such tensors
- `generator`: its state, once · `data`: a course dataclass, by value · `ref`: a stand-in for any other object
- `mine`, `yours`: what has crossed before, by the number that the sender or the receiver gave it
"""

from llmcourse.grading.split.execute import execute
from llmcourse.grading.split.lint import lint
from llmcourse.grading.split.options import Options
from llmcourse.grading.split.pair import close

__all__ = ["Options", "close", "execute", "lint"]
