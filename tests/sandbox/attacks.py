"""Attacks on the sandbox: Python that a candidate might be, and the one defence that each runs into.

An attack's `code` defines ``attack(facts)``, which gives True where it succeeded; what only the outside can see is
checked by `seen`. Many would run into several defences: those in `without` are taken away in both runs, so that the one
named is seen to stop it alone. `first` is a candidate that runs before it in the same sandbox.
"""

from __future__ import annotations

from dataclasses import dataclass

from unseat.sandbox import Defence as D


@dataclass(frozen=True)
class Attack:
    """One attack."""

    name: str
    defence: D
    code: str
    without: frozenset[D] = frozenset()
    first: str = ""
    seen: bool = False

    @property
    def source(self) -> str:
        """The candidate."""
        return _source(self.code)


def _source(code: str) -> str:
    body = "\n".join("    " + line for line in code.strip("\n").splitlines())
    return f"import ctypes, os, sys, time\nLIBC = ctypes.CDLL(None, use_errno=True)\ndef attack(facts):\n{body}\n"


def preceding(attack: Attack) -> str:
    """The candidate that runs before it."""
    return _source(attack.first)


def _without(*defences: D) -> frozenset[D]:
    return frozenset(defences)


FILES = [
    Attack("reads a key from the environment", D.ENVIRONMENT, "return facts['key'] in os.environ.values()"),
    Attack("reads a key from /proc/self/environ", D.ENVIRONMENT,
           "return facts['key'].encode() in open('/proc/self/environ', 'rb').read()", without=_without(D.UNPRIVILEGED)),
    Attack("reads a file of the home", D.SYSTEM, "return open(facts['secret']).read() == 'secret'"),
    Attack("reads /etc/passwd", D.SYSTEM, "return 'root' in open('/etc/passwd').read()"),
    Attack("reads a file through a symbolic link", D.SYSTEM,
           "os.symlink(facts['secret'], '/tmp/link')\nreturn open('/tmp/link').read() == 'secret'"),
    Attack("reads a file over /proc/self/root", D.SYSTEM,
           "return open('/proc/self/root' + facts['secret']).read() == 'secret'"),
    Attack("reads the test set", D.PROJECT, "return len(open(facts['test set'], 'rb').read()) > 0"),
    Attack("reads the shipped policies", D.PROJECT,
           "return len(os.listdir(facts['package'] + '/tasks/cache/shipped')) > 0"),
    Attack("writes outside", D.READ_ONLY, "open(facts['open'] + '/left', 'w').write('x')\nreturn True"),
    Attack("writes outside through a symbolic link", D.READ_ONLY,
           "os.symlink(facts['open'], '/tmp/out')\nopen('/tmp/out/linked', 'w').write('x')\nreturn True"),
    Attack("removes a file outside", D.READ_ONLY, "os.unlink(facts['open'] + '/victim')\nreturn True"),
    Attack("renames a file outside", D.READ_ONLY,
           "os.rename(facts['open'] + '/renamed', facts['open'] + '/x')\nreturn True"),
    Attack("makes a hard link outside", D.READ_ONLY,
           "os.link(facts['open'] + '/linked to', facts['open'] + '/y')\nreturn True"),
    Attack("overwrites the score file", D.READ_ONLY, "open(facts['open'] + '/score', 'w').write('0')\nreturn True"),
    Attack("finds a file of the last candidate", D.PRIVATE_FILES, "return os.path.exists('/tmp/left')",
           first="open('/tmp/left', 'w').close()", without=_without(D.UNPRIVILEGED)),
    Attack("finds shared memory of the last candidate", D.PRIVATE_FILES, "return os.path.exists('/tmp/pipe')",
           first="os.mkfifo('/tmp/pipe')", without=_without(D.UNPRIVILEGED)),
]  # fmt: skip

NETWORK = [
    Attack("connects to a server", D.NETWORK,
           "import socket\nsocket.create_connection(('127.0.0.1', facts['port']), 2).close()\nreturn True"),
    Attack("sends a datagram", D.NETWORK,
           "import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
           "s.connect(('127.0.0.1', facts['udp']))\ns.send(b'x')\ns.settimeout(1)\nreturn s.recv(9) == b'y'"),
    Attack("connects to an abstract socket", D.NETWORK,
           "import socket\ns = socket.socket(socket.AF_UNIX)\ns.connect('\\0' + facts['abstract'])\nreturn True"),
]  # fmt: skip

_FIND_PARENT = """
for name in os.listdir('/proc'):
    if name.isdigit() and int(name) != os.getpid() and b'sandbox/inside' in open(f'/proc/{name}/cmdline', 'rb').read():
        parent = int(name)
        break
else:
    return False
"""

_ORPHAN = """
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.closerange(0, 64)
        os.execv('/bin/sleep', ['sleep', facts['sleep']])
    os._exit(0)
os.wait()
time.sleep(.05)
return True
"""

PROCESSES = [
    Attack("bombs with forks", D.PROCESSES, """
alive = []
try:
    for _ in range(40):
        pid = os.fork()
        if pid == 0:
            time.sleep(5)
            os._exit(0)
        alive.append(pid)
except OSError:
    pass
return len(alive) == 40"""),
    Attack("bombs with threads", D.PROCESSES, """
import threading
threading.stack_size(1 << 18)
for _ in range(40):
    threading.Thread(target=time.sleep, args=(1,), daemon=True).start()
return True"""),
    Attack("leaves a child that survives it", D.PROCESSES_APART, _ORPHAN, seen=True),
    Attack("sees who else runs", D.PROCESSES_APART, _FIND_PARENT + "return True", without=_without(D.UNPRIVILEGED)),
    Attack("kills the parent", D.PROCESSES_APART, "os.kill(os.getppid(), 9)\ntime.sleep(2)",
           without=_without(D.UNPRIVILEGED), seen=True),
    Attack("kills the parent, as another user", D.UNPRIVILEGED, "os.kill(os.getppid(), 9)\ntime.sleep(2)",
           without=_without(D.PROCESSES_APART), seen=True),
    Attack("stops the parent's process", D.UNPRIVILEGED, "os.kill(os.getppid(), 19)\ntime.sleep(2)",
           without=_without(D.PROCESSES_APART), seen=True),
    Attack("reads the parent's memory", D.UNPRIVILEGED, _FIND_PARENT + """
where = [line for line in open(f'/proc/{parent}/maps') if '[heap]' in line][0].split('-')[0]
with open(f'/proc/{parent}/mem', 'rb', 0) as memory:
    memory.seek(int(where, 16))
    return len(memory.read(64)) == 64""",
           without=_without(D.PROCESSES_APART, D.PRIVILEGES)),
    Attack("answers in the parent's name", D.DESCRIPTORS, """
import socket
for name in os.listdir('/proc/self/fd'):
    try:
        socket.socket(fileno=int(name)).send(b'{"status": 0, "why": "", "cpu_s": 0, "memory": 4711}')
        time.sleep(1)
    except OSError:
        pass""", seen=True),
]  # fmt: skip

PRIVILEGES = [
    Attack("reads a file of root's", D.UNPRIVILEGED, "return open(facts['open'] + '/private').read() == 'private'"),
    Attack("becomes root", D.UNPRIVILEGED, "os.setresuid(0, 0, 0)\nreturn os.getuid() == 0"),
    Attack("mounts over what is there", D.PRIVILEGES,
           "return LIBC.mount(b'tmpfs', b'/usr', b'tmpfs', 0, None) == 0", without=_without(D.UNPRIVILEGED, D.CALLS)),
    Attack("makes the system writable", D.PRIVILEGES,
           "return LIBC.mount(None, b'/usr', None, 32 | 4096, None) == 0", without=_without(D.UNPRIVILEGED, D.CALLS)),
    Attack("makes the system writable, with privileges", D.CALLS,
           "return LIBC.mount(None, b'/usr', None, 32 | 4096, None) == 0",
           without=_without(D.UNPRIVILEGED, D.PRIVILEGES)),
    Attack("renames the machine", D.CALLS, "import socket\nsocket.sethostname('x')\nreturn True",
           without=_without(D.UNPRIVILEGED, D.PRIVILEGES)),
    Attack("traces a process", D.CALLS, """
pid = os.fork()
if pid == 0:
    time.sleep(3)
    os._exit(0)
return LIBC.ptrace(16, pid, 0, 0) == 0""", without=_without(D.UNPRIVILEGED)),
    Attack("reads another process's memory", D.CALLS, """
pid = os.fork()
if pid == 0:
    time.sleep(3)
    os._exit(0)
buffer = ctypes.create_string_buffer(8)
class V(ctypes.Structure):
    _fields_ = (('base', ctypes.c_void_p), ('length', ctypes.c_size_t))
here = V(ctypes.addressof(buffer), 8)
return LIBC.process_vm_readv(pid, ctypes.byref(here), 1, ctypes.byref(here), 1, 0) == 8""",
           without=_without(D.UNPRIVILEGED)),
    Attack("hides memory in a file without a name", D.CALLS, "return os.memfd_create('x') > 0"),
    Attack("hides memory in a System V segment", D.CALLS, "return LIBC.shmget(0, 1 << 20, 0o1600) >= 0"),
    Attack("becomes root of a new user namespace", D.CALLS, "return LIBC.unshare(0x10000000) == 0"),
    Attack("becomes root of a cloned namespace", D.CALLS,
           "pid = LIBC.syscall(56, 0x10000000 | 17, 0, 0, 0, 0)\nif pid == 0:\n    os._exit(0)\nreturn pid > 0"),
    Attack("keeps a key in the kernel for the next", D.CALLS,
           "return LIBC.syscall(248, b'user', b'x', b'y', 1, -2) > 0"),
]  # fmt: skip

AMOUNTS = [
    Attack("fills the memory", D.MEMORY, "kept = bytearray(120 << 20)\ntime.sleep(.05)\nreturn True"),
    Attack("fills the memory from many processes", D.MEMORY, """
for _ in range(6):
    if os.fork() == 0:
        kept = bytearray(20 << 20)
        time.sleep(.3)
        os._exit(0)
for _ in range(6):
    os.wait()
return True"""),
    Attack("fills the memory by shared pages", D.MEMORY, """
import mmap
kept = mmap.mmap(-1, 120 << 20)
kept.write(bytes(120 << 20))
time.sleep(.05)
return True"""),
    Attack("fills the disk", D.DISK, """
for i in range(12):
    with open(f'/tmp/{i}', 'wb') as file:
        file.write(bytes(1 << 20))
return True"""),
    Attack("fills the disk with empty files", D.DISK, """
for i in range(5000):
    open(f'/tmp/{i}', 'w').close()
return True"""),
    Attack("fills the shared memory's disk", D.DISK, """
for i in range(12):
    with open(f'/dev/shm/{i}', 'wb') as file:
        file.write(bytes(1 << 20))
return True"""),
    Attack("writes one huge file", D.FILE_SIZE,
           "os.truncate(os.open('/tmp/x', os.O_CREAT | os.O_RDWR), 1 << 40)\nreturn True"),
    Attack("opens everything", D.OPEN_FILES, "kept = [os.open('/dev/null', 0) for _ in range(500)]\nreturn True"),
    Attack("burns time in one process", D.CPU, """
while time.process_time() < .5:
    pass
return True"""),
    Attack("burns time in many processes", D.CPU, """
for _ in range(3):
    if os.fork() == 0:
        while time.process_time() < .17:
            pass
        os._exit(0)
for _ in range(3):
    os.wait()
return True"""),
    Attack("does not come back", D.WALL, "time.sleep(1.2)\nreturn True"),
    Attack("does not come back, deaf to signals", D.WALL, """
import signal
for number in range(1, 32):
    if number not in (9, 19):
        signal.signal(number, signal.SIG_IGN)
time.sleep(1.2)
return True"""),
    Attack("answers with a flood", D.OUTPUT, "return [True, 'x' * (3 << 20)]"),
    Attack("prints a flood", D.OUTPUT, "for _ in range(300):\n    os.write(1, b'x' * 10000)\nreturn True"),
]  # fmt: skip

FRESH = [
    Attack("leaves a patched module to the next", D.FRESH_PROCESS, "import math\nreturn math.sqrt(4) == 'patched'",
           first="import math\nmath.sqrt = lambda x: 'patched'"),
    Attack("leaves a module of its own to the next", D.FRESH_PROCESS, "import statistics\nreturn statistics == 'mine'",
           first="sys.modules['statistics'] = 'mine'"),
    Attack("leaves a built-in function to the next", D.FRESH_PROCESS, "return len([]) == 7",
           first="import builtins\nbuiltins.len = lambda x: 7"),
    Attack("patches what encodes the next one's answer", D.FRESH_PROCESS, "return False",
           first="sys.modules['wire'].encode.__code__ = (lambda value: facts_of_the_next).__code__\n"
                 "sys.modules['wire'].facts_of_the_next = sys.modules['wire'].json.dumps({'tree': True, 'arrays': []})"
                 ".encode()\nw = sys.modules['wire']\n"
                 "w.facts_of_the_next = w._LENGTH.pack(len(w.facts_of_the_next)) + w.facts_of_the_next"),
    Attack("recurses until the stack is gone", D.FRESH_PROCESS, """
sys.setrecursionlimit(10 ** 9)
f = lambda n: [*map(f, [n + 1])]
f(0)""", seen=True),
    Attack("ends the process it runs in", D.FRESH_PROCESS, "os._exit(0)", seen=True),
    Attack("breaks the memory it runs in", D.FRESH_PROCESS, "ctypes.string_at(1)", seen=True),
]  # fmt: skip

ATTACKS = [*FILES, *NETWORK, *PROCESSES, *PRIVILEGES, *AMOUNTS, *FRESH]
