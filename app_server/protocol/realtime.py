"""Voice conversations: types only, calls are answered with an error."""

from typing import Any, Literal, TypeAlias

from app_server.protocol.method import ClientMethod, ServerNotification, by_thread
from app_server.protocol.shared import Unsigned16, Unsigned32
from app_server.protocol.wire import Wire

RealtimeOutputModality: TypeAlias = Literal["text", "audio"]

RealtimeVoice: TypeAlias = Literal[
    "alloy",
    "arbor",
    "ash",
    "ballad",
    "breeze",
    "cedar",
    "coral",
    "cove",
    "echo",
    "ember",
    "juniper",
    "maple",
    "marin",
    "sage",
    "shimmer",
    "sol",
    "spruce",
    "vale",
    "verse",
]


class RealtimeVoicesList(Wire):
    default_v1: RealtimeVoice
    default_v2: RealtimeVoice
    v1: list[RealtimeVoice]
    v2: list[RealtimeVoice]


RealtimeConversationVersion: TypeAlias = Literal["v1", "v2"]


class WebsocketThreadRealtimeStartTransport(Wire, tag="websocket"): ...


class WebrtcThreadRealtimeStartTransport(Wire, tag="webrtc"):
    sdp: str


ThreadRealtimeStartTransport: TypeAlias = (
    WebsocketThreadRealtimeStartTransport | WebrtcThreadRealtimeStartTransport
)


class ThreadRealtimeStartParams(Wire):
    thread_id: str
    output_modality: RealtimeOutputModality
    prompt: str | None = None
    session_id: str | None = None
    transport: ThreadRealtimeStartTransport | None = None
    voice: RealtimeVoice | None = None


class ThreadRealtimeStartResponse(Wire): ...


class ThreadRealtimeAudioChunk(Wire):
    data: str
    num_channels: Unsigned16
    sample_rate: Unsigned32
    item_id: str | None = None
    samples_per_channel: Unsigned32 | None = None


class ThreadRealtimeAppendAudioParams(Wire):
    thread_id: str
    audio: ThreadRealtimeAudioChunk


class ThreadRealtimeAppendAudioResponse(Wire): ...


class ThreadRealtimeAppendTextParams(Wire):
    thread_id: str
    text: str


class ThreadRealtimeAppendTextResponse(Wire): ...


class ThreadRealtimeStopParams(Wire):
    thread_id: str


class ThreadRealtimeStopResponse(Wire): ...


class ThreadRealtimeListVoicesParams(Wire): ...


class ThreadRealtimeListVoicesResponse(Wire):
    voices: RealtimeVoicesList


class ThreadRealtimeStartedNotification(Wire):
    thread_id: str
    version: RealtimeConversationVersion
    session_id: str | None = None


class ThreadRealtimeItemAddedNotification(Wire):
    thread_id: str
    item: Any


class ThreadRealtimeTranscriptDeltaNotification(Wire):
    thread_id: str
    delta: str
    role: str


class ThreadRealtimeTranscriptDoneNotification(Wire):
    thread_id: str
    role: str
    text: str


class ThreadRealtimeOutputAudioDeltaNotification(Wire):
    thread_id: str
    audio: ThreadRealtimeAudioChunk


class ThreadRealtimeSdpNotification(Wire):
    thread_id: str
    sdp: str


class ThreadRealtimeErrorNotification(Wire):
    thread_id: str
    message: str


class ThreadRealtimeClosedNotification(Wire):
    thread_id: str
    reason: str | None = None


THREAD_REALTIME_START = ClientMethod(
    "thread/realtime/start",
    ThreadRealtimeStartParams,
    ThreadRealtimeStartResponse,
    queue=by_thread,
    experimental=True,
)
THREAD_REALTIME_APPEND_AUDIO = ClientMethod(
    "thread/realtime/appendAudio",
    ThreadRealtimeAppendAudioParams,
    ThreadRealtimeAppendAudioResponse,
    queue=by_thread,
    experimental=True,
)
THREAD_REALTIME_APPEND_TEXT = ClientMethod(
    "thread/realtime/appendText",
    ThreadRealtimeAppendTextParams,
    ThreadRealtimeAppendTextResponse,
    queue=by_thread,
    experimental=True,
)
THREAD_REALTIME_STOP = ClientMethod(
    "thread/realtime/stop",
    ThreadRealtimeStopParams,
    ThreadRealtimeStopResponse,
    queue=by_thread,
    experimental=True,
)
THREAD_REALTIME_LIST_VOICES = ClientMethod(
    "thread/realtime/listVoices",
    ThreadRealtimeListVoicesParams,
    ThreadRealtimeListVoicesResponse,
    experimental=True,
)
THREAD_REALTIME_STARTED = ServerNotification(
    "thread/realtime/started", ThreadRealtimeStartedNotification
)
THREAD_REALTIME_ITEM_ADDED = ServerNotification(
    "thread/realtime/itemAdded", ThreadRealtimeItemAddedNotification
)
THREAD_REALTIME_TRANSCRIPT_DELTA = ServerNotification(
    "thread/realtime/transcript/delta", ThreadRealtimeTranscriptDeltaNotification
)
THREAD_REALTIME_TRANSCRIPT_DONE = ServerNotification(
    "thread/realtime/transcript/done", ThreadRealtimeTranscriptDoneNotification
)
THREAD_REALTIME_OUTPUT_AUDIO_DELTA = ServerNotification(
    "thread/realtime/outputAudio/delta", ThreadRealtimeOutputAudioDeltaNotification
)
THREAD_REALTIME_SDP = ServerNotification("thread/realtime/sdp", ThreadRealtimeSdpNotification)
THREAD_REALTIME_ERROR = ServerNotification("thread/realtime/error", ThreadRealtimeErrorNotification)
THREAD_REALTIME_CLOSED = ServerNotification(
    "thread/realtime/closed", ThreadRealtimeClosedNotification
)
