package tunnel

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"
)

// gone wants the process to be ended, whether or not anybody has waited for it.
func gone(t *testing.T, pid int) {
	t.Helper()
	if pid == 0 {
		t.Fatal("no process")
	}
	eventually(t, func() bool { return !lives(pid) }, func() string { return fmt.Sprintf("process %d lives on", pid) })
}

func lives(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	after := text[bytes.LastIndexByte(text, ')')+1:] // the name may hold anything
	return len(after) < 2 || after[1] != 'Z'
}

func TestAKillOfOursLeavesNoChild(t *testing.T) {
	host, child := startHost(t)
	if !lives(child) {
		t.Fatal("the child does not live")
	}
	if err := host.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	host.Wait()
	gone(t, child)
}

// The kernel takes the end of the thread that started a child for the end of
// its parent.
func TestTheEndOfAThreadOfOursDoesNotEndTheChild(t *testing.T) {
	children, threads := make([]*child, 4), make([]int, 4)
	var ended sync.WaitGroup
	for i := range children {
		ended.Go(func() {
			runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
			threads[i] = syscall.Gettid()
			c, err := start("sleep", []string{"600"}, environment(""), newLogbook(""))
			if err != nil {
				t.Error(err)
				return
			}
			t.Cleanup(func() { c.stop(time.Second) })
			children[i] = c
		})
	}
	ended.Wait()
	if t.Failed() {
		return
	}
	for _, thread := range threads {
		if thread == os.Getpid() {
			continue // the process's first never ends
		}
		eventually(t, func() bool {
			_, err := os.Stat(fmt.Sprintf("/proc/self/task/%d", thread))
			return err != nil
		}, func() string { return "a thread does not end" })
	}
	for _, c := range children {
		if !lives(c.cmd.Process.Pid) {
			t.Error("a child was killed")
		}
	}
}

// A ctrl+c goes to the terminal's foreground group, which is ours.
func TestTheChildIsInAGroupOfItsOwn(t *testing.T) {
	r := open(t, quick(), setup{})
	ready(t, r)
	pid := r.runs()[0].Pid
	if group, err := syscall.Getpgid(pid); err != nil || group != pid || group == syscall.Getpgrp() {
		t.Errorf("its group is %d: %v", group, err)
	}
}

// startHost starts this test binary as a process that runs a tunnel, and
// returns it with the pid of its child.
func startHost(t *testing.T) (*exec.Cmd, int) {
	t.Helper()
	p := install(t, quick())
	host := exec.Command(os.Args[0])
	host.Env = append(os.Environ(), hostJob+"=1", "TMPDIR="+t.TempDir())
	host.Stderr = os.Stderr
	if err := host.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { host.Process.Kill(); host.Wait() })
	eventually(t, func() bool { return len(p.runs()) == 1 }, func() string { return "the child does not start" })
	return host, p.runs()[0].Pid
}
