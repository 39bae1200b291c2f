"""Device keys and the Windows sandbox: types only, calls are answered with an error."""

from typing import Literal, TypeAlias

import msgspec

from app_server.protocol.method import ClientMethod, ServerNotification, in_queue
from app_server.protocol.shared import AbsolutePathParam, Unsigned
from app_server.protocol.wire import Wire

DeviceKeyProtectionPolicy: TypeAlias = Literal["hardware_only", "allow_os_protected_nonextractable"]

DeviceKeyAlgorithm: TypeAlias = Literal["ecdsa_p256_sha256"]

DeviceKeyProtectionClass: TypeAlias = Literal[
    "hardware_secure_enclave", "hardware_tpm", "os_protected_nonextractable"
]


class DeviceKeyCreateParams(Wire):
    account_user_id: str
    client_id: str
    protection_policy: DeviceKeyProtectionPolicy | None = None


class DeviceKeyCreateResponse(Wire):
    algorithm: DeviceKeyAlgorithm
    key_id: str
    protection_class: DeviceKeyProtectionClass
    public_key_spki_der_base64: str


class DeviceKeyPublicParams(Wire):
    key_id: str


class DeviceKeyPublicResponse(Wire):
    algorithm: DeviceKeyAlgorithm
    key_id: str
    protection_class: DeviceKeyProtectionClass
    public_key_spki_der_base64: str


RemoteControlClientConnectionAudience: TypeAlias = Literal["remote_control_client_websocket"]

RemoteControlClientEnrollmentAudience: TypeAlias = Literal["remote_control_client_enrollment"]


class RemoteControlClientConnectionDeviceKeySignPayload(Wire, tag="remoteControlClientConnection"):
    account_user_id: str
    audience: RemoteControlClientConnectionAudience
    client_id: str
    nonce: str
    scopes: list[str]
    session_id: str
    target_origin: str
    target_path: str
    token_expires_at: int
    token_sha256_base64url: str = msgspec.field(name="tokenSha256Base64url")


class RemoteControlClientEnrollmentDeviceKeySignPayload(Wire, tag="remoteControlClientEnrollment"):
    account_user_id: str
    audience: RemoteControlClientEnrollmentAudience
    challenge_expires_at: int
    challenge_id: str
    client_id: str
    device_identity_sha256_base64url: str = msgspec.field(name="deviceIdentitySha256Base64url")
    nonce: str
    target_origin: str
    target_path: str


DeviceKeySignPayload: TypeAlias = (
    RemoteControlClientConnectionDeviceKeySignPayload
    | RemoteControlClientEnrollmentDeviceKeySignPayload
)


class DeviceKeySignParams(Wire):
    key_id: str
    payload: DeviceKeySignPayload


class DeviceKeySignResponse(Wire):
    algorithm: DeviceKeyAlgorithm
    signature_der_base64: str
    signed_payload_base64: str


WindowsSandboxSetupMode: TypeAlias = Literal["elevated", "unelevated"]


class WindowsSandboxSetupStartParams(Wire):
    mode: WindowsSandboxSetupMode
    cwd: AbsolutePathParam | None = None


class WindowsSandboxSetupStartResponse(Wire):
    started: bool


class WindowsWorldWritableWarningNotification(Wire):
    extra_count: Unsigned
    failed_scan: bool
    sample_paths: list[str]


class WindowsSandboxSetupCompletedNotification(Wire):
    mode: WindowsSandboxSetupMode
    success: bool
    error: str | None = None


DEVICE_KEY_CREATE = ClientMethod(
    "device/key/create", DeviceKeyCreateParams, DeviceKeyCreateResponse
)
DEVICE_KEY_PUBLIC = ClientMethod(
    "device/key/public", DeviceKeyPublicParams, DeviceKeyPublicResponse
)
DEVICE_KEY_SIGN = ClientMethod("device/key/sign", DeviceKeySignParams, DeviceKeySignResponse)
WINDOWS_SANDBOX_SETUP_START = ClientMethod(
    "windowsSandbox/setupStart",
    WindowsSandboxSetupStartParams,
    WindowsSandboxSetupStartResponse,
    queue=in_queue("windows-sandbox-setup"),
)
WINDOWS_WORLD_WRITABLE_WARNING = ServerNotification(
    "windows/worldWritableWarning", WindowsWorldWritableWarningNotification
)
WINDOWS_SANDBOX_SETUP_COMPLETED = ServerNotification(
    "windowsSandbox/setupCompleted", WindowsSandboxSetupCompletedNotification
)
