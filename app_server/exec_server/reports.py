"""What is told of a process when somebody asks: its output, its end, what held it."""

from __future__ import annotations

from typing import Literal

import msgspec

from app_server.exec_server import protocol
from app_server.exec_server.processes import ManagedProcess
from app_server.exec_server.protocol import Stream


def read_result(
    process: ManagedProcess, params: protocol.ReadParams, *, counts_all: bool
) -> protocol.ReadResult:
    chunks = process.retained.after(params.after_seq or 0, params.max_bytes)
    next_seq = process.retained.next_seq
    if counts_all and chunks and chunks[-1].seq != process.retained.last_output_seq:
        # Whoever pages by this number must not skip what did not fit.
        next_seq = chunks[-1].seq + 1
    return protocol.ReadResult(
        chunks=[
            protocol.ReadChunk(seq=chunk.seq, stream=chunk.stream, chunk=chunk.data)
            for chunk in chunks
        ],
        next_seq=next_seq,
        exited=process.is_exited,
        exit_code=process.exit_code if process.is_exited else None,
        closed=process.is_closed if counts_all else msgspec.UNSET,
        failure=None if counts_all else msgspec.UNSET,
        sandbox_denied=was_denied_by_sandbox(process) if counts_all else msgspec.UNSET,
    )


def snapshot_of(process: ManagedProcess) -> protocol.SnapshotResult:
    return protocol.SnapshotResult(
        stdout=process.retained.joined("stdout"),
        stderr=process.retained.joined("stderr"),
        terminal=process.retained.joined("pty"),
        truncated=process.retained.is_truncated,
        exit_code=process.exit_code if process.is_exited else None,
        running=not process.is_exited,
    )


def sandbox_type(process: ManagedProcess) -> Literal["none", "linuxSeccomp"]:
    return "none" if process.confinement == "none" else "linuxSeccomp"


def was_denied_by_sandbox(process: ManagedProcess) -> bool:
    """Whether a confined process that has ended most likely failed because it was confined."""
    if process.confinement == "none" or not process.is_exited:
        return False
    from app_server.sandbox.denial import was_denied

    number = process.exit_signal
    code = process.exit_code if number is None else 128 + number
    streams: tuple[Stream, ...] = ("stdout", "stderr", "pty")
    output = b"".join(process.retained.joined(stream) for stream in streams)
    return was_denied(process.confinement, code, output.decode(errors="replace"))


def exit_code(process: ManagedProcess) -> int:
    return -1 if process.exit_code is None else process.exit_code
