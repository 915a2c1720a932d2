"""Who went which way, small enough to be kept of every run: per batch, node and port the people that left there.

A batch of 50,000 contacts is some kilobytes of bits and costs a quarter of a millisecond. Where everybody is a plain
instance (one journey per contact) contacts are kept, otherwise the ids of instances. Records follow each other, so
blobs are put together by joining their bytes. Absent on purpose: what people carried with them (`studio.frames.samples`
keeps some rows of that).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from studio.frames.few import Batch, Few

ENDED = ""
"""The port of those whose way ended at the node."""

_HEAD = struct.Struct("<qHHBII")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SPAN, _BITS, _CONTACTS, _INSTANCES = range(4)


@dataclass(frozen=True, slots=True)
class Moved:
    """A batch that left a node through a port: its contacts (u32) and instances (u64), row for row."""

    node_id: str
    port: str
    contacts: NDArray[np.uint32]
    instances: NDArray[np.uint64]

    @classmethod
    def of(cls, node_id: str, port: str, batch: Batch) -> Moved:
        """Everybody in a batch of instances."""
        if isinstance(batch, Few):
            contacts = np.array(batch.column("contact_id"), dtype=np.uint32)
            return cls(node_id, port, contacts, np.array(batch.column("instance_id"), dtype=np.uint64))
        return cls(node_id, port, batch.get_column("contact_id").to_numpy(), batch.get_column("instance_id").to_numpy())


@dataclass(frozen=True, slots=True)
class Move:
    """One record, read back. People are known by `numbers`: of instances, or of contacts."""

    at: datetime
    node_id: str
    port: str
    by_instance: bool
    numbers: NDArray[np.uint64] | NDArray[np.uint32]

    def has(self, contact_id: int, instance_id: int) -> bool:
        """Whether this instance was in the batch."""
        return bool((self.numbers == (instance_id if self.by_instance else contact_id)).any())


def write_moves(moved: Moved, at: datetime, *, by_instance: bool) -> bytes:
    """One record. O(rows)."""
    node, port = moved.node_id.encode(), moved.port.encode()
    if by_instance:
        form, body = _INSTANCES, moved.instances.astype("<u8", copy=False).tobytes()
    else:
        form, body = _contacts(moved.contacts)
    micros = (at - _EPOCH) // timedelta(microseconds=1)
    return _HEAD.pack(micros, len(node), len(port), form, len(body), len(moved.contacts)) + node + port + body


def read_moves(data: bytes) -> Iterator[Move]:
    """The records of joined blobs, in their order."""
    at = 0
    while at < len(data):
        micros, node_bytes, port_bytes, form, body_bytes, _ = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        node, at = data[at : at + node_bytes].decode(), at + node_bytes
        port, at = data[at : at + port_bytes].decode(), at + port_bytes
        body, at = data[at : at + body_bytes], at + body_bytes
        moment = _EPOCH + timedelta(microseconds=micros)
        yield Move(moment, node, port, form == _INSTANCES, _numbers(form, body))


def _contacts(ids: NDArray[np.uint32]) -> tuple[int, bytes]:
    """The smallest of three forms: first and count, a bit for each in between, or the numbers themselves."""
    if not len(ids):
        return _CONTACTS, b""
    first, last = int(ids.min()), int(ids.max())
    width = last - first + 1
    if width == len(ids):
        return _SPAN, struct.pack("<II", first, width)
    if width > 32 * len(ids):
        return _CONTACTS, ids.astype("<u4", copy=False).tobytes()
    flags = np.zeros(width, dtype=np.bool_)
    flags[ids - np.uint32(first)] = True
    return _BITS, struct.pack("<I", first) + np.packbits(flags).tobytes()


def _numbers(form: int, body: bytes) -> NDArray[np.uint64] | NDArray[np.uint32]:
    if form == _INSTANCES:
        return np.frombuffer(body, dtype="<u8").astype(np.uint64, copy=False)
    if form == _CONTACTS:
        return np.frombuffer(body, dtype="<u4").astype(np.uint32, copy=False)
    if form == _SPAN:
        first, count = struct.unpack("<II", body)
        return np.arange(first, first + count, dtype=np.uint32)
    (first,) = struct.unpack_from("<I", body)
    set_bits = np.flatnonzero(np.unpackbits(np.frombuffer(body, dtype=np.uint8, offset=4)))
    return (set_bits + first).astype(np.uint32)
