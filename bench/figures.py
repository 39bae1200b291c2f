"""A table of figures: ours, the original's, the ratio, the budget."""

from dataclasses import dataclass, field


@dataclass
class Figure:
    """One measured thing: the values each program gave, printed as medians in `unit`."""

    name: str
    unit: str
    budget: str = ""
    values: dict[str, list[float]] = field(default_factory=dict)

    def add(self, program: str, value: float) -> None:
        self.values.setdefault(program, []).append(value)

    def median(self, program: str) -> float | None:
        values = sorted(self.values.get(program, []))
        return values[len(values) // 2] if values else None

    def line(self) -> str:
        ours, original = self.median("ours"), self.median("original")
        ratio = f"{ours / original:.2f}x" if ours is not None and original else "-"
        return (
            f"{self.name:<44}{_shown(ours):>11}{_shown(original):>11} {self.unit:<9}"
            f"{ratio:>7}   {self.budget}"
        )


def header() -> str:
    return f"{'':<44}{'ours':>11}{'original':>11} {'':<9}{'ratio':>7}   budget"


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:,.1f}"
