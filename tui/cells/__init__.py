"""Drawing: a cell and a width become lines. Cells know neither face of the interface."""
