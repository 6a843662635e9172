"""What all explorers share: a live widget in a notebook that also knows how to be a plain page."""

from pathlib import Path
from typing import Any, ClassVar

import anywidget

from llmcourse.widgets.static import to_html

FOLDER = Path(__file__).parent


class Explorer(anywidget.AnyWidget):
    """A widget whose notebook output carries, beside the live view, HTML that works without a kernel."""

    _css = FOLDER / "explorers.css"
    NAME: ClassVar[str]
    STATE: ClassVar[tuple[str, ...]]

    def state(self) -> dict[str, Any]:
        """The plain values that the page needs, by name."""
        return {name: getattr(self, name) for name in self.STATE}

    def fallback(self) -> str:
        """The findings as an HTML table, for readers without scripts and for screen readers."""
        raise NotImplementedError

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        page = to_html(self.NAME, self.state(), self.fallback())
        return {**(data or {}), "text/plain": f"{type(self).__name__}()", "text/html": page}, metadata

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"
