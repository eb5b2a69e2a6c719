"""vaglio beside a real MTA: cases/*.case and the scenes of scenes.py.

Each MTA has a test of its own, which takes NAMEs: of cases and scenes that
are to be run, else all are. How they went is said in the Test Anything
Protocol. VAGLIO is the program (else ./vaglio). KEEP=1 leaves folders and
logs behind.
"""

import concurrent.futures
import glob
import os
import signal
import sys

import attached  # noqa: F401: more scenes
import changes  # noqa: F401
import detached  # noqa: F401
import policies  # noqa: F401
from cases import Case, Run
from private import Door, Failure, Vaglio, Workplace, free_ports
from scenes import SCENES, Stage

HERE = os.path.dirname(os.path.abspath(__file__))
AT_ONCE = 6


class Report:
    """Lines of TAP, in the order in which things end."""

    def __init__(self, planned):
        self.n = self.failed = 0
        print("1..%d" % planned, flush=True)

    def skip(self, name, why):
        self.n += 1
        print("ok %d - %s # SKIP %s" % (self.n, name, why), flush=True)

    def tell(self, name, faults):
        self.n += 1
        self.failed += bool(faults)
        print("%s %d - %s" % ("not ok" if faults else "ok", self.n, name))
        for fault in faults:
            for line in fault.split("\n"):
                print("# " + line.encode("ascii",
                                         "backslashreplace").decode())
        sys.stdout.flush()


def new_case(work, binary, path, mta):
    name = os.path.basename(path)[:-len(".case")]
    case = Case(path, mta)
    vaglio = Vaglio(work, binary, os.path.join(work.top, name),
                    case.joined("policy"), case.files())
    door = Door(name, vaglio.milter,
                [l for s in case.of(mta) for l in s.lines if l])
    door.local = bool(case.of("command"))
    run = Run(name, case, door, vaglio)
    run.why_not = case.why_not(mta)
    return run


def new_scene(work, binary, scene, mta):
    name = scene.__name__.replace("_", "-")
    policy, milter = scene.policy, None
    if scene.socket:
        milter = scene.socket % free_ports(1)[0]
        policy += '\nset socket "%s"\n' % milter
    vaglio = Vaglio(work, binary, os.path.join(work.top, name), policy)
    door = Door(name, milter or vaglio.milter, scene.options.get(mta, ()))
    stage = Stage(name, scene, door, vaglio)
    stage.why_not = scene.why_not.get(mta)
    return stage


def play(run, mta):
    try:
        mta.open(run.door)
    except Failure as e:
        run.faults.append(str(e))
        return
    run.go(mta)
    mta.close(run.door)


def stopped(run):
    """Ends its vaglio; what is wrong about how it ended."""
    try:
        if run.vaglio.process and run.vaglio.process.poll() is None:
            status = run.vaglio.stop()
            if status:
                run.faults.append("vaglio ended with status %d:\n%s"
                                  % (status, run.vaglio.log()))
    except Failure as e:
        run.faults.append(str(e))


def run_all(work, runs, make):
    wanted = [r for r in runs if not r.why_not]
    if sum(r.door.local for r in wanted) > 1:
        raise Failure("only one case can have the sendmail command")
    mta = make(work, [r.door for r in wanted])
    pool = concurrent.futures.ThreadPoolExecutor(AT_ONCE)
    try:
        for done in [pool.submit(play, r, mta) for r in wanted]:
            done.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    with concurrent.futures.ThreadPoolExecutor(max(len(wanted), 1)) as pool:
        list(pool.map(stopped, wanted))
    mta.stop()
    report = Report(len(runs))
    for r in runs:
        if r.why_not:
            report.skip(r.name, r.why_not)
            continue
        if not r.faults:
            r.judge()
        if r.faults:
            r.faults.append("vaglio's log:\n" + r.vaglio.log()[-4000:])
        report.tell(r.name, r.faults)
    if report.failed and os.environ.get("KEEP"):
        print("# the MTA's folder: " + mta.top)
    return report.failed


def main(make):
    """The whole test, with the MTA that is made by make."""
    reason = make.why_not()
    if reason:
        print("1..0 # SKIP " + reason)
        return 0
    binary = os.path.abspath(os.environ.get("VAGLIO", "./vaglio"))
    if not os.access(binary, os.X_OK):
        print("Bail out! no program " + binary)
        return 1
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    wanted = sys.argv[1:]
    with Workplace(make.name) as work:
        runs = [new_case(work, binary, p, make.name)
                for p in sorted(glob.glob(HERE + "/cases/*.case"))]
        runs += [new_scene(work, binary, s, make.name) for s in SCENES]
        if wanted:
            runs = [r for r in runs if r.name in wanted]
        try:
            return 1 if run_all(work, runs, make) else 0
        except (KeyboardInterrupt, SystemExit):
            work.close()
            os._exit(130)  # whatever the threads are at
