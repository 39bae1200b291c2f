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
    return libc.syscall(ctypes.c_long(number), *[ctypes.c_long(a) if isinstance(a, int) else a for a in args])
def tell(worked):
    if worked: print("BREACH", flush=True)
"""


class Attempt(NamedTuple):
    name: str
    source: str
    needs_root: bool = False
    """An ordinary user could not do it anywhere."""


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
        C_LIBRARY
        + "libc.mount(None, b'/', None, 32 | 4096, None); open(O + '/kept', 'w').write('x')",
    ),
    Attempt(
        "mount_attributes",
        C_LIBRARY + "a = (ctypes.c_uint64 * 4)(0, 1, 0, 0)\n"
        "call(442, -100, b'/', 0x8000, ctypes.byref(a), 32); open(O + '/kept', 'w').write('x')",
    ),
    Attempt(
        "new_user_namespace",
        C_LIBRARY + "tell(libc.unshare(0x10000000 | 0x20000) == 0)",
    ),
    Attempt("new_mount_namespace", C_LIBRARY + "tell(libc.unshare(0x20000) == 0)"),
    Attempt(
        "clone_into_a_user_namespace",
        C_LIBRARY
        + "pid = call(56 if os.uname().machine == 'x86_64' else 220, 0x10000000 | 17, 0, 0, 0, 0)\n"
        "if pid == 0: os.write(1, b'BREACH'); os._exit(0)\n"
        "if pid > 0: os.waitpid(pid, 0)",
    ),
    Attempt(
        "clone3_into_a_user_namespace",
        C_LIBRARY + "a = (ctypes.c_uint64 * 8)(0x10000000, 0, 0, 0, 17)\n"
        "pid = call(435, ctypes.byref(a), 64)\n"
        "if pid == 0: os.write(1, b'BREACH'); os._exit(0)\n"
        "if pid > 0: os.waitpid(pid, 0)",
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
        "import stat\nfor f in (W, '/dev', '/dev/shm'):\n"
        "    try: os.mknod(f + '/disk', 0o666 | stat.S_IFBLK, os.makedev(254, 0)); print('BREACH')\n"
        "    except OSError: pass",
    ),
    Attempt(
        "disk_devices",
        "import stat\n"
        "for folder, _, names in os.walk('/dev'):\n"
        "    for name in names:\n"
        "        path = os.path.join(folder, name)\n"
        "        try:\n"
        "            if stat.S_ISBLK(os.stat(path).st_mode): open(path, 'rb+'); print('BREACH', path)\n"
        "        except OSError: pass",
    ),
    Attempt(
        "opening_by_handle",
        C_LIBRARY + "h = ctypes.create_string_buffer((128).to_bytes(4, 'little'), 200)\n"
        "m = ctypes.c_int(); libc.name_to_handle_at(-100, (O + '/kept').encode(), h, ctypes.byref(m), 0)\n"
        "fd = libc.open_by_handle_at(os.open(W, 0), h, os.O_WRONLY)\n"
        "if fd >= 0: os.write(fd, b'x')",
    ),
    Attempt(
        "kernel_settings",
        "for p in ('/proc/sys/kernel/printk_ratelimit', '/proc/sys/vm/swappiness', '/proc/sys/net/core/somaxconn',"
        " '/proc/sysrq-trigger', '/proc/irq/default_smp_affinity', '/proc/1/oom_score_adj', '/sys/kernel/profiling',"
        " '/sys/kernel/mm/ksm/run', '/sys/power/state', '/sys/fs/cgroup/memory/cgroup.procs'):\n"
        "    try: open(p, 'wb'); print('BREACH', p) if p != '/proc/1/oom_score_adj' else None\n"
        "    except OSError: pass",
    ),
    Attempt(
        "control_groups",
        "import glob\n"
        "for p in ['/sys/fs/cgroup', *glob.glob('/sys/fs/cgroup/*/')]:\n"
        "    try: os.mkdir(p + '/codex-test'); print('BREACH', p); os.rmdir(p + '/codex-test')\n"
        "    except OSError: pass",
    ),
]

KERNEL = [
    Attempt(
        "io_uring",
        C_LIBRARY + "p = ctypes.create_string_buffer(200); tell(call(425, 4, p) >= 0)",
    ),
    Attempt(
        "kernel_keys",
        C_LIBRARY + "n = (248, 250) if os.uname().machine == 'x86_64' else (217, 219)\n"
        "tell(call(n[0], b'user', b'codex', b'x', 1, -4) >= 0 or call(n[1], 0, -4, 1) >= 0)",
    ),
    Attempt(
        "bpf",
        C_LIBRARY
        + "a = ctypes.create_string_buffer(128); tell(call(321 if os.uname().machine == 'x86_64' else 280, 0, a, 128) >= 0)",
    ),
    Attempt(
        "the_superuser",
        "os.setuid(0)\nif os.getuid() == 0 and open('/proc/self/status').read().find('CapEff:\\t0000000000000000') < 0: print('BREACH')",
    ),
    Attempt("other_users", "os.setgid(1); os.setuid(1); print('BREACH')"),
    Attempt(
        "held_capabilities",
        "s = dict(l.split(':\\t', 1) for l in open('/proc/self/status').read().splitlines() if ':\\t' in l)\n"
        "for k in ('CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'):\n"
        "    if int(s[k], 16) and (k != 'CapBnd' or os.getuid() == 0): print('BREACH', k)\n"
        "if s['NoNewPrivs'] != '1' or s['Seccomp'] != '2': print('BREACH')",
    ),
    Attempt(
        "capabilities_by_executing",
        "import subprocess\nfor l in subprocess.run(['cat', '/proc/self/status'], capture_output=True, text=True).stdout.splitlines():\n    if l.startswith(('CapPrm', 'CapEff')) and int(l.split()[1], 16): print('BREACH', l)",
    ),
    Attempt(
        "the_clock",
        "import time\ntry: time.clock_settime(time.CLOCK_REALTIME, time.time()); print('BREACH')\nexcept OSError: pass",
    ),
    Attempt("the_host_name", "import socket; socket.sethostname('codex-test'); print('BREACH')"),
    Attempt(
        "x32_calls",
        C_LIBRARY + "tell(os.uname().machine == 'x86_64' and call(0x40000000 + 39) > 0)",
    ),
    Attempt(
        "a_privileged_program",
        "import subprocess, glob, shutil\nfor n in ('su', 'mount', 'newgrp', 'ping'):\n    p = shutil.which(n)\n    if p and os.getuid() and os.stat(p).st_mode & 0o4000:\n        r = subprocess.run(['cat', '/proc/self/status'], capture_output=True, text=True).stdout\n        if 'NoNewPrivs:\\t1' not in r: print('BREACH', n)",
    ),
]
