//go:build unix

package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"aspectop/journal"
	"aspectop/model"
)

// Both ways to a full disk are for a process of its own. Any user can limit the
// size of its files; a small disk needs the right to mount one.
func TestAFullDiskRefusesLosesNothingAndGoesOnWhenThereIsSpace(t *testing.T) {
	startChild(t, "fill", t.TempDir()).finish(t)
	c, err := tryChild(t, ownMounts, "filldisk", t.TempDir())
	if err != nil {
		t.Log("tried with limited files only:", err)
		return
	}
	c.finish(t)
	tryOrSkip(t, "smalldisk", t.TempDir()).finish(t)
}

func tryOrSkip(t *testing.T, job string, args ...string) *child {
	t.Helper()
	c, err := tryChild(t, ownMounts, job, args...)
	if err != nil {
		t.Skip("needs the right to mount a file system:", err)
	}
	return c
}

// keepOnSmallDisk appends one delivery after another to a journal on a disk of
// 4 MB. Each commit adds a page to the log, so the log alone would fill the disk
// although the deliveries take a fraction of it.
func keepOnSmallDisk(args []string) error {
	if err := mountDisk(args[0], 4<<20); err != nil {
		fmt.Fprintln(os.Stderr, "no small disk:", err)
		return nil
	}
	path := filepath.Join(args[0], "journal.db")
	j, err := Open(path, journal.Options{})
	if err != nil {
		return err
	}
	defer j.Close()
	var kept []model.Delivery
	for i := range 1500 {
		d := delivery(fmt.Sprint("msg_", i), strings.Repeat("x", 700))
		if err := j.Append(context.Background(), d); err != nil {
			return fmt.Errorf("after %d deliveries of 700 bytes on a disk of 4 MB: %w", i, err)
		}
		kept = append(kept, *d)
	}
	return equal(path, kept)
}

func fillLimited(args []string) error {
	limit := func(bytes uint64) error {
		var r syscall.Rlimit
		if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &r); err != nil {
			return err
		}
		r.Cur = min(bytes, r.Max)
		return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &r)
	}
	return fillAndFree(args[0],
		func() error { return limit(2 << 20) },
		func() error { return limit(unix.RLIM_INFINITY) })
}

func fillSmallDisk(args []string) error {
	if err := mountDisk(args[0], 4<<20); err != nil {
		fmt.Fprintln(os.Stderr, "no small disk:", err)
		return nil
	}
	ballast := filepath.Join(args[0], "ballast")
	return fillAndFree(args[0],
		func() error { return os.WriteFile(ballast, make([]byte, 2<<20), 0o600) },
		func() error { return os.Remove(ballast) })
}

// fillAndFree appends until nothing fits, twice, and closes the journal once
// while it is full.
func fillAndFree(folder string, fill, free func() error) error {
	ctx := context.Background()
	path := filepath.Join(folder, "journal.db")
	var kept []model.Delivery
	for round := range 2 {
		j, err := Open(path, journal.Options{})
		if err != nil {
			return err
		}
		defer j.Close()
		if err := fill(); err != nil {
			return err
		}
		var refused *model.Delivery
		for refused == nil {
			d := delivery(fmt.Sprintf("msg_%d_%d", round, len(kept)), strings.Repeat("x", 10_000))
			switch err := j.Append(ctx, d); {
			case err == nil:
				kept = append(kept, *d)
			case !errors.Is(err, Full):
				return fmt.Errorf("the error of a full disk is %T: %w", err, err)
			case d.Seq != 0:
				return fmt.Errorf("a refused delivery has number %d", d.Seq)
			default:
				refused = d
			}
			if len(kept) > 2000 {
				return errors.New("it does not get full")
			}
		}
		if err := equal(path, kept); err != nil {
			return fmt.Errorf("while full: %w", err)
		}
		if round == 1 {
			j.Close()
		}
		if err := free(); err != nil {
			return err
		}
		if round == 1 {
			if j, err = Open(path, journal.Options{}); err != nil {
				return err
			}
		}
		// The same delivery comes again, and is no repeat.
		if err := j.Append(ctx, refused); err != nil {
			return fmt.Errorf("with space again: %w", err)
		}
		if refused.Repeat() {
			return errors.New("a refused delivery is remembered")
		}
		kept = append(kept, *refused)
		if err := j.Close(); err != nil {
			return err
		}
		if err := equal(path, kept); err != nil {
			return fmt.Errorf("after closing: %w", err)
		}
	}
	return nil
}

func equal(path string, want []model.Delivery) error {
	r, err := OpenReader(path)
	if err != nil {
		return err
	}
	defer r.Close()
	got, err := r.After(context.Background(), 0, len(want)+1)
	if err != nil {
		return err
	}
	if !reflect.DeepEqual(got, want) {
		return fmt.Errorf("%d deliveries kept, %d acknowledged", len(got), len(want))
	}
	return nil
}
