package e2e

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

var diskFaults = []diskFault{
	{"a disk gets full, and has room again", needsMounts, diskFull},
	{"a disk of 4 MB", needsMounts, smallDisk},
	{"a disk becomes read-only", needsLoop, readOnly},
	{"power cuts", needsLoop, powerCuts},
}

func needsMounts() string {
	if os.Geteuid() != 0 {
		return "only root may mount a disk"
	}
	return ""
}

func needsLoop() string {
	if why := needsMounts(); why != "" {
		return why
	}
	if _, err := os.Stat("/dev/loop-control"); err != nil {
		return "there are no loop devices"
	}
	for _, tool := range []string{"mkfs.ext4", "mount", "umount"} {
		if _, err := exec.LookPath(tool); err != nil {
			return "there is no " + tool
		}
	}
	return ""
}

// ramDisk mounts a disk of that size for the journal.
func (f *trial) ramDisk(bytes int) (folder string) {
	f.t.Helper()
	folder = f.t.TempDir()
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, fmt.Sprintf("size=%d,mode=700", bytes)); err != nil {
		f.leaveOut("no disk can be mounted here: " + err.Error())
	}
	f.t.Cleanup(func() { syscall.Unmount(folder, syscall.MNT_DETACH) })
	f.journal = filepath.Join(folder, "journal.db")
	return folder
}

func diskFull(f *trial) {
	folder := f.ramDisk(6 << 20)
	ballast := filepath.Join(folder, "ballast")
	f.start()
	defer f.load(8)()
	for range either(2, 8) {
		f.more(50)
		file, err := os.Create(ballast)
		if err != nil {
			f.t.Fatal(err)
		}
		for err == nil { // until the disk is full
			_, err = file.Write(make([]byte, 4096))
		}
		file.Close()
		for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
			before := f.count()
			time.Sleep(200 * time.Millisecond)
			if f.count() == before {
				break // what was reserved is full too
			}
			if time.Now().After(deadline) {
				f.t.Fatal("the disk does not get full")
			}
		}
		if err := os.Remove(ballast); err != nil {
			f.t.Fatal(err)
		}
	}
	f.more(50)
}

func smallDisk(f *trial) {
	f.ramDisk(4 << 20)
	f.start()
	const n = 1200
	for i := range n {
		if status := f.send(delivery{id: fmt.Sprintf("msg_%04d", i), body: fmt.Sprintf(`{"n":%d,"x":%q}`, i, strings.Repeat("x", 680))}); status != http.StatusNoContent {
			f.t.Fatalf("delivery %d of 700 bytes was answered %d", i, status)
		}
	}
	f.note = " (700 bytes each, none refused)"
}

// disk is an ext4 file system in a file.
type disk struct {
	f      *trial
	image  string
	folder string
}

func (f *trial) loopDisk(options string) *disk {
	f.t.Helper()
	d := &disk{f, filepath.Join(f.t.TempDir(), "disk.img"), f.t.TempDir()}
	image, err := os.Create(d.image)
	if err != nil {
		f.t.Fatal(err)
	}
	if err := image.Truncate(64 << 20); err != nil {
		f.t.Fatal(err)
	}
	image.Close()
	d.run("mkfs.ext4", "-q", "-F", d.image)
	if out, err := exec.Command("mount", "-o", "loop"+options, d.image, d.folder).CombinedOutput(); err != nil {
		f.leaveOut(fmt.Sprintf("no disk can be mounted here: %v: %s", err, out))
	}
	f.t.Cleanup(func() { exec.Command("umount", "-l", d.folder).Run() })
	f.journal = filepath.Join(d.folder, "state", "journal.db")
	return d
}

func (d *disk) run(name string, args ...string) {
	d.f.t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		d.f.t.Fatalf("%s %q: %v: %s", name, args, err, out)
	}
}

// again mounts the disk anew, as after a restart of the machine.
func (d *disk) again() {
	d.f.t.Helper()
	d.run("umount", d.folder)
	d.run("mount", "-o", "loop", d.image, d.folder)
}

// shutDown cuts the disk off at once: what was not synced is lost. An answer that
// is read from then on does not count, because a machine without power answers
// nothing; here Linux calls a sync a success that is under way at that
// moment, whoever asks for it.
func (d *disk) shutDown() {
	d.f.t.Helper()
	const ext4Shutdown, withoutFlush = 0x8004587d, 2
	folder, err := os.Open(d.folder)
	if err != nil {
		d.f.t.Fatal(err)
	}
	defer folder.Close()
	power := func() {
		d.f.mu.Lock()
		d.f.cuts++
		d.f.mu.Unlock()
	}
	power()
	defer func() {
		d.f.kill()
		power()
	}()
	if err := unix.IoctlSetPointerInt(int(folder.Fd()), ext4Shutdown, withoutFlush); err != nil {
		d.f.leaveOut("a disk cannot be cut off here: " + err.Error())
	}
}

func powerCuts(f *trial) {
	d := f.loopDisk("")
	n := either(2, 20)
	f.start()
	defer f.load(8)()
	for range n {
		f.more(60)
		d.shutDown()
		d.again()
		f.start()
	}
	f.more(20)
	f.note = fmt.Sprintf(" (%d cuts)", n)
}

func readOnly(f *trial) {
	const senders = 8
	d := f.loopDisk(",errors=remount-ro")
	for range either(1, 5) {
		f.start()
		stop := f.load(senders)
		f.more(100)
		source, err := exec.Command("findmnt", "-n", "-o", "SOURCE", d.folder).Output()
		if err != nil {
			f.leaveOut("findmnt: " + err.Error())
		}
		device := filepath.Base(strings.TrimSpace(string(source)))
		if err := os.WriteFile("/sys/fs/ext4/"+device+"/trigger_fs_error", []byte("a test of aspectop"), 0); err != nil {
			f.leaveOut("no error can be triggered here: " + err.Error())
		}
		// Linux calls the sync a success that is under way at the very moment of such
		// an error, whoever asks for it, although nothing reaches the disk: one commit
		// of eight senders.
		f.gone += senders
		f.none("the disk was read-only")
		stop()
		f.watch.tells("cannot keep deliveries", "disk")
		f.watch.signal(syscall.SIGTERM)
		f.watch.ends()
		d.run("umount", d.folder)
		for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) { // the kernel gives the image free later
			if out, err := exec.Command("losetup", "-j", d.image).Output(); err != nil || len(out) == 0 || time.Now().After(deadline) {
				break
			}
		}
		exec.Command("fsck.ext4", "-fy", d.image).Run() // it says that it mended what was never broken
		d.run("mount", "-o", "loop,errors=remount-ro", d.image, d.folder)
	}
	f.start()
	defer f.load(senders)()
	f.more(50)
	f.note = " (at most the commit under way at that moment)"
}
