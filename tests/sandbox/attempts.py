"""Attempts at what no command may do, each a few lines of Python or one of shell.

Those with a trace are judged by looking at the outside, the others print BREACH when they got what
they wanted. W is the workspace, O the outside.
"""

from __future__ import annotations

from typing import NamedTuple

C_LIBRARY = """
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
def call(number, *args):
    longs = [ctypes.c_long(a) if isinstance(a, int) else a for a in args]
    return libc.syscall(ctypes.c_long(number), *longs)
def by_machine(x86_64, aarch64):
    return x86_64 if os.uname().machine == 'x86_64' else aarch64
def tell(worked):
    if worked: print("BREACH", flush=True)
"""


class Attempt(NamedTuple):
    name: str
    source: str


WRITES_OUTSIDE = [
    Attempt("writing", "open(O + '/kept', 'w').write('x')"),
    Attempt("appending", "open(O + '/kept', 'a').write('x')"),
    Attempt("creating", "open(O + '/new', 'w').write('x')"),
    Attempt("through_parent_folders", "open(W + '/../outside/kept', 'w').write('x')"),
    Attempt(
        "through_a_fresh_link",
        "os.symlink(O + '/kept', W + '/link'); open(W + '/link', 'w').write('x')",
    ),
    Attempt("through_a_link_that_was_there", "open(W + '/escape/kept', 'w').write('x')"),
    Attempt("hard_link", "os.link(O + '/kept', W + '/same'); open(W + '/same', 'w').write('x')"),
    Attempt("through_own_root", "open('/proc/self/root' + O + '/kept', 'w').write('x')"),
    Attempt("through_process_1", "open('/proc/1/root' + O + '/kept', 'w').write('x')"),
    Attempt("through_own_folder", "os.chdir(O); open('/proc/self/cwd/kept', 'w').write('x')"),
    Attempt("renaming_out", "os.rename(W + '/mine', O + '/new')"),
    Attempt("renaming_in", "os.rename(O + '/kept', W + '/stolen')"),
    Attempt("renaming_outside", "os.rename(O + '/kept', O + '/renamed')"),
    Attempt("renaming_the_workspace", "os.rename(W, W + '2')"),
    Attempt("deleting", "os.unlink(O + '/kept')"),
    Attempt("deleting_a_folder", "os.rmdir(O + '/folder')"),
    Attempt("truncating", "os.truncate(O + '/kept', 1)"),
    Attempt("modes", "os.chmod(O + '/kept', 0o777)"),
    Attempt("modes_through_a_descriptor", "os.fchmod(os.open(O + '/kept', os.O_RDONLY), 0o777)"),
    Attempt("owners", "os.chown(O + '/kept', os.getuid(), os.getgid())"),
    Attempt("times", "os.utime(O + '/kept', (1, 1))"),
    Attempt("extended_attributes", "os.setxattr(O + '/kept', 'user.x', b'x')"),
    Attempt("named_pipe", "os.mkfifo(O + '/pipe')"),
    Attempt("folder", "os.mkdir(O + '/new')"),
    Attempt("symbolic_link", "os.symlink('kept', O + '/new')"),
    Attempt(
        "nameless_file_linked_later",
        C_LIBRARY + "fd = os.open(O, os.O_TMPFILE | os.O_RDWR); os.write(fd, b'x')\n"
        "libc.linkat(-100, b'/proc/self/fd/%d' % fd, -100, (O + '/new').encode(), 0x400)",
    ),
    Attempt(
        "nameless_file_of_the_workspace",
        C_LIBRARY + "fd = os.open(W, os.O_TMPFILE | os.O_RDWR); os.write(fd, b'x')\n"
        "libc.linkat(-100, b'/proc/self/fd/%d' % fd, -100, (O + '/new').encode(), 0x400)",
    ),
    Attempt(
        "file_flags",
        "import fcntl\n"
        "fcntl.ioctl(os.open(O + '/kept', os.O_RDONLY), 0x40086602, (0x80).to_bytes(8, 'little'))",
    ),
]

MOUNTS = [
    Attempt(
        "bind_mount",
        C_LIBRARY + "libc.mount(O.encode(), (W + '/src').encode(), None, 4096, None)\n"
        "open(W + '/src/kept', 'w').write('x')",
    ),
    Attempt(
        "remounting_the_root",
        C_LIBRARY + "libc.mount(None, b'/', None, 32 | 4096, None)\n"
        "open(O + '/kept', 'w').write('x')",
    ),
    Attempt(
        "mount_attributes",
        C_LIBRARY + "a = (ctypes.c_uint64 * 4)(0, 1, 0, 0)\n"
        "call(442, -100, b'/', 0x8000, ctypes.byref(a), 32)\n"
        "open(O + '/kept', 'w').write('x')",
    ),
    Attempt("new_user_namespace", C_LIBRARY + "tell(libc.unshare(0x10000000 | 0x20000) == 0)"),
    Attempt("new_mount_namespace", C_LIBRARY + "tell(libc.unshare(0x20000) == 0)"),
    Attempt(
        "clone_into_a_user_namespace",
        C_LIBRARY
        + """
pid = call(by_machine(56, 220), 0x10000000 | 17, 0, 0, 0, 0)
if pid == 0: os.write(1, b'BREACH'); os._exit(0)
if pid > 0: os.waitpid(pid, 0)
""",
    ),
    Attempt(
        "clone3_into_a_user_namespace",
        C_LIBRARY
        + """
a = (ctypes.c_uint64 * 8)(0x10000000, 0, 0, 0, 17)
pid = call(435, ctypes.byref(a), 64)
if pid == 0: os.write(1, b'BREACH'); os._exit(0)
if pid > 0: os.waitpid(pid, 0)
""",
    ),
    Attempt(
        "joining_another_namespace",
        C_LIBRARY + "fd = os.open('/proc/1/ns/mnt', 0); tell(libc.setns(fd, 0) == 0)",
    ),
    Attempt("changing_the_root", C_LIBRARY + "tell(libc.chroot(O.encode()) == 0)"),
    Attempt(
        "a_file_system_context",
        C_LIBRARY + "tell(call(430, b'tmpfs', 0) >= 0 or call(428, -100, b'/', 1) >= 0)",
    ),
    Attempt(
        "device_nodes",
        """
import stat
for folder in (W, '/dev', '/dev/shm'):
    try: os.mknod(folder + '/disk', 0o666 | stat.S_IFBLK, os.makedev(254, 0)); print('BREACH')
    except OSError: pass
""",
    ),
    Attempt(
        "disk_devices",
        """
import stat
for folder, _, names in os.walk('/dev'):
    for path in (os.path.join(folder, name) for name in names):
        try:
            if stat.S_ISBLK(os.stat(path).st_mode): open(path, 'rb+'); print('BREACH', path)
        except OSError: pass
""",
    ),
    Attempt(
        "opening_by_handle",
        C_LIBRARY
        + """
handle, mount = ctypes.create_string_buffer((128).to_bytes(4, 'little'), 200), ctypes.c_int()
libc.name_to_handle_at(-100, (O + '/kept').encode(), handle, ctypes.byref(mount), 0)
fd = libc.open_by_handle_at(os.open(W, 0), handle, os.O_WRONLY)
if fd >= 0: os.write(fd, b'x')
""",
    ),
    Attempt(
        "kernel_settings",
        """
for path in (
    '/proc/sys/kernel/printk_ratelimit', '/proc/sys/vm/swappiness', '/proc/sysrq-trigger',
    '/proc/sys/net/core/somaxconn', '/proc/irq/default_smp_affinity', '/proc/mtrr',
    '/sys/kernel/profiling', '/sys/kernel/mm/ksm/run', '/sys/power/state',
    '/sys/fs/cgroup/memory/cgroup.procs', '/sys/fs/cgroup/cgroup.procs',
):
    try: open(path, 'wb'); print('BREACH', path)
    except OSError: pass
""",
    ),
    Attempt(
        "control_groups",
        """
import glob
for path in ['/sys/fs/cgroup', *glob.glob('/sys/fs/cgroup/*/')]:
    try: os.mkdir(path + '/codex-test'); print('BREACH', path); os.rmdir(path + '/codex-test')
    except OSError: pass
""",
    ),
]

KERNEL = [
    Attempt(
        "io_uring",
        C_LIBRARY + "p = ctypes.create_string_buffer(200); tell(call(425, 4, p) >= 0)",
    ),
    Attempt(
        "kernel_keys",
        C_LIBRARY
        + """
tell(call(by_machine(248, 217), b'user', b'codex', b'x', 1, -4) >= 0)
tell(call(by_machine(250, 219), 0, -4, 1) >= 0)
""",
    ),
    Attempt(
        "bpf",
        C_LIBRARY
        + """
attributes = ctypes.create_string_buffer((1).to_bytes(4, 'little') + b'\\4\\0\\0\\0' * 3, 128)
tell(call(by_machine(321, 280), 0, attributes, 128) >= 0)
""",
    ),
    Attempt(
        "the_superuser",
        """
os.setuid(0)
if 'CapEff:\\t0000000000000000' not in open('/proc/self/status').read(): print('BREACH')
""",
    ),
    Attempt("other_users", "os.setgid(1); os.setuid(1); print('BREACH')"),
    Attempt(
        "held_capabilities",
        """
lines = open('/proc/self/status').read().splitlines()
facts = dict(line.split(':\\t', 1) for line in lines if ':\\t' in line)
for name in ('CapInh', 'CapPrm', 'CapEff', 'CapAmb'):
    if int(facts[name], 16): print('BREACH', name)
if facts['NoNewPrivs'] != '1' or facts['Seccomp'] != '2': print('BREACH')
""",
    ),
    Attempt(
        "capabilities_by_executing",
        """
import subprocess
status = subprocess.run(['cat', '/proc/self/status'], capture_output=True, text=True).stdout
for line in status.splitlines():
    if line.startswith(('CapPrm', 'CapEff')) and int(line.split()[1], 16): print('BREACH', line)
if 'NoNewPrivs:\\t1' not in status: print('BREACH')
""",
    ),
    Attempt(
        "a_set_uid_program",
        """
import subprocess
subprocess.run(['cp', '/usr/bin/id', W + '/id']); os.chmod(W + '/id', 0o6755)
done = subprocess.run(['su', '-c', 'id -u'], stdin=-3, capture_output=True, text=True)
if os.getuid() and done.stdout.strip() == '0': print('BREACH')
""",
    ),
    Attempt(
        "the_clock", "import time; time.clock_settime(0, time.clock_gettime(0)); print('BREACH')"
    ),
    Attempt("the_host_name", "import socket; socket.sethostname('codex-test'); print('BREACH')"),
    Attempt("x32_calls", C_LIBRARY + "tell(by_machine(call(0x40000000 + 39), 0) > 0)"),
]

PROCESSES = [
    Attempt("signals", "os.kill(PID, 15)"),
    Attempt(
        "signals_by_descriptor",
        "import signal; signal.pidfd_send_signal(os.pidfd_open(PID), signal.SIGTERM)",
    ),
    Attempt("tracing", C_LIBRARY + "tell(libc.ptrace(16, PID, 0, 0) == 0)"),
    Attempt("memory", "open(f'/proc/{PID}/mem', 'rb'); print('BREACH')"),
    Attempt(
        "memory_by_call",
        C_LIBRARY
        + """
buffer = ctypes.create_string_buffer(8)
vector = (ctypes.c_void_p * 2)(ctypes.addressof(buffer), 8)
done = libc.process_vm_readv(PID, vector, 1, vector, 1, 0)
tell(done >= 0 or ctypes.get_errno() == errno.EFAULT)
""",
    ),
    Attempt(
        "writing_memory_by_call",
        C_LIBRARY
        + """
buffer = ctypes.create_string_buffer(8)
vector = (ctypes.c_void_p * 2)(ctypes.addressof(buffer), 8)
done = libc.process_vm_writev(PID, vector, 1, vector, 1, 0)
tell(done >= 0 or ctypes.get_errno() == errno.EFAULT)
""",
    ),
    Attempt(
        "descriptors_by_call",
        C_LIBRARY + "tell(call(438, os.pidfd_open(PID), 0, 0) >= 0)",
    ),
    Attempt("environment", "print(open(f'/proc/{PID}/environ').read())"),
    Attempt("root", "os.listdir(f'/proc/{PID}/root/'); print('BREACH')"),
    Attempt("descriptors", "os.readlink(f'/proc/{PID}/fd/0'); print('BREACH')"),
    Attempt(
        "limits",
        "import resource; resource.prlimit(PID, resource.RLIMIT_CORE, (0, 0)); print('BREACH')",
    ),
]

SOCKET = """
from socket import *
"""

SOCKETS = [
    Attempt("tcp", SOCKET + "create_connection(('127.0.0.1', PORT))"),
    Attempt("tcp6", SOCKET + "create_connection(('::1', PORT))"),
    Attempt("udp", SOCKET + "socket(AF_INET, SOCK_DGRAM).sendto(b'x', ('127.0.0.1', PORT))"),
    Attempt("udp6", SOCKET + "socket(AF_INET6, SOCK_DGRAM).sendto(b'x', ('::1', PORT))"),
    Attempt("stream_outside", SOCKET + "socket(AF_UNIX).connect(O + '/stream')"),
    Attempt("stream_inside", SOCKET + "socket(AF_UNIX).connect(W + '/stream')"),
    Attempt("datagram", SOCKET + "socket(AF_UNIX, SOCK_DGRAM).sendto(b'x', W + '/datagram')"),
    Attempt(
        "datagram_by_message",
        SOCKET + "socket(AF_UNIX, SOCK_DGRAM).sendmsg([b'x'], [], 0, W + '/datagram')",
    ),
    Attempt(
        "half_a_datagram_pair",
        SOCKET + "socketpair(AF_UNIX, SOCK_DGRAM)[0].sendmsg([b'x'], [], 0, O + '/datagram')",
    ),
    Attempt(
        "half_a_datagram_pair_by_sendto",
        SOCKET + "socketpair(AF_UNIX, SOCK_DGRAM)[0].sendto(b'x', O + '/datagram')",
    ),
    Attempt(
        "passing_a_descriptor",
        SOCKET
        + "import array\nfds = array.array('i', [os.open(W, os.O_RDONLY)])\n"
        + "socket(AF_UNIX, SOCK_DGRAM).sendmsg("
        + "[b'x'], [(SOL_SOCKET, SCM_RIGHTS, fds)], 0, W + '/datagram')",
    ),
    Attempt(
        "a_question_of_dns",
        SOCKET
        + "ask = bytes.fromhex('1234010000010000000000000161076578616d706c650000010001')\n"
        + "socket(AF_INET, SOCK_DGRAM).sendto(ask, ('127.0.0.1', PORT))",
    ),
    Attempt("abstract", SOCKET + "socket(AF_UNIX).connect('\\0' + ABSTRACT)"),
]

SOCKET_KINDS = [
    Attempt("netlink", SOCKET + "socket(AF_NETLINK, SOCK_RAW, 0); print('BREACH')"),
    Attempt("ping", SOCKET + "socket(AF_INET, SOCK_DGRAM, 1); print('BREACH')"),
    Attempt("raw", SOCKET + "socket(AF_INET, SOCK_RAW, 1); print('BREACH')"),
    Attempt("packet", SOCKET + "socket(AF_PACKET, SOCK_RAW, 3); print('BREACH')"),
    Attempt("vsock", SOCKET + "socket(AF_VSOCK, SOCK_STREAM); print('BREACH')"),
    Attempt("crypto", SOCKET + "socket(AF_ALG, SOCK_SEQPACKET); print('BREACH')"),
    Attempt(
        "listening", SOCKET + "s = socket(); s.bind(('127.0.0.1', 0)); s.listen(); print('BREACH')"
    ),
]


class Server(NamedTuple):
    """Where a program outside listens, and the variables that tell of it.

    H is a home, R a runtime folder, T the folder for temporary files; P is the place itself.
    """

    name: str
    place: str
    variables: dict[str, str]


SERVERS_THAT_START_PROGRAMS = [
    Server("tmux_by_name", "{O}/named", {"TMUX": "{P},12,0"}),
    Server("tmux_in_its_folder", "{O}/tmux-{UID}/default", {"TMUX_TMPDIR": "{O}"}),
    Server("tmux_among_temporary_files", "{T}/tmux-{UID}/default", {}),
    Server("screen_at_home", "{H}/.screen/1.pts-0", {}),
    Server("screen_in_its_folder", "{O}/screens/S-me/1.pts-0", {"SCREENDIR": "{O}/screens"}),
    Server("emacs", "{R}/emacs/server", {}),
    Server("emacs_among_temporary_files", "{T}/emacs{UID}/server", {}),
    Server("emacs_by_name", "{O}/named", {"EMACS_SOCKET_NAME": "{P}"}),
    Server("neovim_by_name", "{O}/named", {"NVIM": "{P}"}),
    Server("kitty", "{T}/mykitty-12", {}),
    Server("kitty_by_name", "{O}/named", {"KITTY_LISTEN_ON": "unix:{P}"}),
    Server("vscode", "{R}/vscode-ipc-1.sock", {}),
    Server("vscode_among_temporary_files", "{T}/vscode-ipc-1.sock", {}),
    Server("vscode_by_name", "{O}/named", {"VSCODE_IPC_HOOK_CLI": "{P}"}),
    Server("accessibility", "{R}/at-spi/bus_0", {}),
    Server("accessibility_at_home", "{H}/.cache/at-spi/bus_0", {}),
    Server("accessibility_by_name", "{O}/named", {"AT_SPI_BUS_ADDRESS": "unix:path={P},guid=1"}),
    Server("session_bus", "{R}/bus", {}),
    Server("docker_by_name", "{O}/named", {"DOCKER_HOST": "unix://{P}"}),
    Server("window_manager", "{R}/sway-ipc.0.1.sock", {}),
    Server("unknown", "{R}/some/thing/new", {}),
    Server("in_a_runtime_folder_that_must_stay", "{O}/some/new", {"XDG_RUNTIME_DIR": "{W}/.."}),
    Server("our_own_server", "{H}/.codex/app-server-control/app-server-control.sock", {}),
]

SERVERS_LET_THROUGH = [
    Server("key_agent", "{R}/ssh-agent.socket", {}),
    Server("key_ring", "{R}/keyring/ssh", {}),
    Server("key_agent_by_name", "{R}/mine/agent", {"SSH_AUTH_SOCK": "{P}"}),
    Server("key_agent_elsewhere", "{T}/ssh-1/agent.1", {"SSH_AUTH_SOCK": "{P}"}),
    Server("database", "{T}/.s.PGSQL.5432", {}),
]

REACHING_A_SERVER = (
    SOCKET
    + """
def attempt(act, *args):
    try: return act(*args)
    except OSError: pass
folder, link = os.path.dirname(P), W + '/linked'
attempt(os.unlink, link)
for path in (P, '/proc/self/root' + P, '/proc/1/root' + P):
    attempt(socket(AF_UNIX).connect, path)
    attempt(os.link, path, link)
attempt(os.rename, P, W + '/moved')
if folder not in (O, os.environ['TMPDIR'], '/tmp'): attempt(os.rename, folder, W + '/folder')
for path in (link, W + '/moved', W + '/folder/' + os.path.basename(P)):
    attempt(socket(AF_UNIX).connect, path)
"""
)
