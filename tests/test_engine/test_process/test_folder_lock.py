"""Two processes never write into one folder; a lock ends with its process, also where there is no flock."""

import errno
import fcntl
import json
import os
import signal
import socket
import stat

import pytest

from icckd_mm.engine.exact.atomic_backend import remove_stale_partials, write_atomically
from icckd_mm.engine.process import folder_lock as module
from icckd_mm.engine.process.folder_lock import folder_lock, work_dir_lock
from icckd_mm.engine.process.temporary_beside import OLD, temporary_beside
from icckd_mm.zoo import publish
from tests.integration.test_tools import command

HELD = []
TEACHER = 'configs/icckd/teacher/icc_resnet20_1xb64_digits.py'


@pytest.fixture(params=['flock', errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def _file_system(request, monkeypatch):
    """One with flock, and three that refuse it, as NFS without its lock daemon, some FUSE systems and Lustre do."""
    if request.param != 'flock':

        def refuse(descriptor, operation):
            raise OSError(request.param, os.strerror(request.param))

        monkeypatch.setattr(fcntl, 'flock', refuse)


def hold(folder):
    """Lock ``folder`` until this process ends."""
    HELD.append(folder_lock(folder))
    HELD[-1].__enter__()


def forked(function):
    """A process that says when ``function`` has returned, and then waits to be killed."""
    receiver, sender = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            function()
            os.write(sender, b'.')
            signal.pause()
        finally:
            os._exit(1)
    os.close(sender)
    with os.fdopen(receiver) as pipe:
        assert pipe.read(1) == '.'
    return child


def kill(child):
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


@pytest.mark.usefixtures('_file_system')
def test_the_second_is_refused_until_the_first_has_ended(tmp_path):
    folder = tmp_path / 'work'
    child = forked(lambda: hold(folder))
    try:
        with (
            pytest.raises(ValueError, match=rf'at work in {folder}: process {child} on {socket.gethostname()} since 20\d\d-'),
            folder_lock(folder),
        ):
            pass
    finally:
        kill(child)
    with folder_lock(folder):  # kill -9 leaves nothing that stands in the way
        with pytest.raises(ValueError, match=f'process {os.getpid()} '), folder_lock(folder):
            pass
        (folder / 'epoch_1.pth').touch()
    assert [file.name for file in folder.iterdir()] == ['epoch_1.pth']


@pytest.mark.usefixtures('_file_system')
def test_children_of_a_killed_run_do_not_hold_its_lock(tmp_path):
    """Data loader workers take seconds to notice that their parent is gone."""

    def work():
        hold(tmp_path)
        child = os.fork()
        if child == 0:
            signal.pause()
        (tmp_path / 'worker').write_text(str(child))

    kill(forked(work))
    worker = int((tmp_path / 'worker').read_text())
    try:
        with folder_lock(tmp_path):
            os.kill(worker, 0)  # it is alive
    finally:
        os.kill(worker, signal.SIGKILL)


def publishing(out, old=False):
    """Begin to publish, until this process ends."""
    HELD.append(temporary_beside(out, publish.PREFIX))
    folder = HELD[-1].__enter__()
    (folder / 'entry').mkdir()
    if old:
        (folder / OLD).mkdir()


@pytest.mark.usefixtures('_file_system')
def test_the_next_publishing_removes_what_a_killed_one_has_left_and_nothing_else(tmp_path):
    (tmp_path / '.publish-mine').mkdir()  # no lock was left in it
    (tmp_path / '.publish-link').symlink_to(tmp_path / '.publish-mine')
    kill(forked(lambda: publishing(tmp_path / 'b', old=True)))  # perhaps the only copy of an earlier entry
    (kept,) = tmp_path.glob('*/old')
    kill(forked(lambda: publishing(tmp_path / 'a')))
    (stale,) = (entry.parent for entry in tmp_path.glob('*/entry') if entry.parent != kept.parent)
    child = forked(lambda: publishing(tmp_path / 'c'))
    try:
        assert not stale.exists()
        (working,) = (entry.parent for entry in tmp_path.glob('*/entry') if entry.parent != kept.parent)
        with temporary_beside(tmp_path / 'd', publish.PREFIX) as own:
            names = {folder.name for folder in tmp_path.iterdir()}
        assert names == {'.publish-mine', '.publish-link', kept.parent.name, working.name, own.name}
    finally:
        kill(child)
    assert not own.exists()


@pytest.mark.usefixtures('_file_system')
def test_a_folder_that_stays_empty_goes_with_its_lock(tmp_path):
    with pytest.raises(RuntimeError), folder_lock(tmp_path / 'a/b'):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize('process', ['mine', 'older', 'elsewhere', 'nonsense', 'empty'])
def test_without_flock_only_the_lock_of_a_dead_process_is_taken_over(process, tmp_path, monkeypatch):
    monkeypatch.setattr(fcntl, 'flock', lambda *args: (_ for _ in ()).throw(OSError(errno.ENOLCK, 'no locks')))
    mine = module.this_process()
    content = {
        'mine': json.dumps(mine),
        'older': json.dumps({**mine, 'born': '1'}),  # another process has that number now
        'elsewhere': json.dumps({**mine, 'host': 'another', 'pid': 2**22 + 1}),
        'nonsense': '{"pid": -1, "host": ["x"]}',
        'empty': '',
    }[process]
    (tmp_path / module.HELD).write_text(content)
    if process == 'older':
        with folder_lock(tmp_path):
            assert json.loads((tmp_path / module.HELD).read_text())['born'] == mine['born']
        assert list(tmp_path.iterdir()) == []
    else:
        with pytest.raises(ValueError, match=f'or delete {tmp_path / module.HELD} if that run is over'), folder_lock(tmp_path):
            pass
        assert (tmp_path / module.HELD).read_text() == content


def test_a_link_in_place_of_the_lock_is_not_followed(tmp_path):
    (tmp_path / 'precious').write_text('mine')
    (tmp_path / 'work').mkdir()
    (tmp_path / 'work' / module.LOCK).symlink_to(tmp_path / 'precious')
    with pytest.raises(ValueError, match='work_dir: cannot write to'), folder_lock(tmp_path / 'work'):
        pass
    assert (tmp_path / 'precious').read_text() == 'mine'


def test_of_several_processes_the_first_locks(tmp_path, monkeypatch):
    with folder_lock(tmp_path):
        for name in module.RANKS:
            monkeypatch.setenv(name, '1')
            with work_dir_lock(tmp_path, 'slurm'):
                pass
            with pytest.raises(ValueError, match='at work'), work_dir_lock(tmp_path, 'none'):
                pass
            monkeypatch.setenv(name, '0')
            with pytest.raises(ValueError, match='at work'), work_dir_lock(tmp_path, 'slurm'):
                pass
            monkeypatch.delenv(name)


def test_a_second_training_is_refused_before_it_reads_or_writes(tmp_path):
    """Finding: two trainings in one work dir, of which one died on the file of the other."""
    child = forked(lambda: hold(tmp_path))
    try:
        with pytest.raises(ValueError, match=f'another run is at work in {tmp_path}: process {child} on'):
            command('train')([TEACHER, '--work-dir', str(tmp_path), '--resume'])
        assert [file.name for file in tmp_path.iterdir()] == [module.LOCK]
    finally:
        kill(child)


def test_writers_of_one_file_have_files_of_their_own_and_only_stale_ones_are_removed(tmp_path):
    seen = []

    def within(path):
        seen.append(path)
        write_atomically(tmp_path / 'a', b'second')
        remove_stale_partials(tmp_path)
        assert path.read_bytes() == b'first'

    (tmp_path / 'epoch_1.pth.partial').touch()
    mine = [tmp_path / 'film.mkv.partial', tmp_path / 'folder.partial']
    mine[0].touch()
    mine[1].mkdir()
    child = forked(lambda: None)
    kill(child)
    dead = tmp_path / f'a.{child}@{socket.gethostname()}.01234567.partial'
    other = tmp_path / f'a.{child}@elsewhere.01234567.partial'
    dead.touch()
    other.touch()
    write_atomically(tmp_path / 'a', b'first', within)
    assert (tmp_path / 'a').read_bytes() == b'first'
    assert seen
    assert sorted(tmp_path.iterdir()) == sorted([tmp_path / 'a', other, *mine])


@pytest.mark.skipif(os.getuid() != 0, reason='only root can become another user')
def test_an_ordinary_user_is_told_that_the_work_dir_is_read_only(tmp_path):
    """Also one whose folder is writable, but whose lock belongs to another user."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == 0 and not folder.stat().st_mode & stat.S_IXOTH:
            folder.chmod(folder.stat().st_mode | stat.S_IXOTH | stat.S_IROTH)
    (tmp_path / 'foreign').mkdir()
    (tmp_path / 'foreign').chmod(0o777)
    (tmp_path / 'foreign' / module.LOCK).write_text('')
    (tmp_path / 'foreign' / module.LOCK).chmod(0o600)
    receiver, sender = os.pipe()
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        said = []
        for folder in (tmp_path / 'new', tmp_path, tmp_path / 'foreign'):
            try:
                hold(folder)
            except BaseException as error:
                said.append(f'{type(error).__name__}: {error}')
        os.write(sender, '\n'.join(said).encode())
        os._exit(0)
    os.close(sender)
    os.waitpid(child, 0)
    with os.fdopen(receiver) as pipe:
        lines = pipe.read().splitlines()
    assert len(lines) == 3
    for line in lines:
        assert line.startswith('ValueError: work_dir: cannot write to')
        assert line.endswith('--work-dir names another folder')
