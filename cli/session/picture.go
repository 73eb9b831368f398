package session

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"aspectop/cli/exit"
	"aspectop/cli/settings"
	"aspectop/ui"
	"aspectop/ui/picture"
)

// PictureFlags ask for a picture of the screen, in place of the screen.
type PictureFlags struct {
	file, size, view, task string
}

// Flags adds the flags.
func (f *PictureFlags) Flags(set *pflag.FlagSet) {
	settings.PathVar(set, &f.file, "picture", "write a picture of the screen to this `file`, as SVG, and exit", nil)
	set.StringVar(&f.size, "size", "120x32", "size of the picture in `cells`: columns x rows")
	set.StringVar(&f.view, "view", "tasks", "`view` in the picture: "+strings.Join(ui.Views(), ", "))
	set.StringVar(&f.task, "task", "", "show this task in the picture: its `id` or a prefix")
}

// mostColumns and mostRows limit the size of a picture, in cells.
const mostColumns, mostRows = 1000, 400

// Check refuses what cannot be meant. options are nil if no picture is wanted.
func (f *PictureFlags) Check(set *pflag.FlagSet) (options *ui.FrameOptions, err error) {
	if f.file == "" {
		for _, name := range []string{"size", "view", "task"} {
			if set.Changed(name) && !settings.Waits(set, name) {
				return nil, exit.Usage("--%s is for --picture", name)
			}
		}
		return nil, nil
	}
	for _, name := range []string{"plain", "json", "record", "ssh", "web"} {
		if f.file != "" && set.Changed(name) && !settings.Overrides(set, "picture", name) {
			return nil, exit.Usage("--picture draws one frame and ends; --%s has no use then", name)
		}
	}
	if f.file == "" {
		return f.Check(set) // one of them overrides it
	}
	options = &ui.FrameOptions{View: f.view, Task: f.task}
	if n, err := fmt.Sscanf(f.size+"\n", "%dx%d\n", &options.W, &options.H); err != nil || n != 2 {
		return nil, exit.Usage("invalid --size %q: must be columns x rows, such as 120x32", f.size)
	}
	if options.W < ui.MinWidth || options.H < ui.MinHeight || options.W > mostColumns || options.H > mostRows {
		return nil, exit.Usage("--size %s is out of bounds; it is from %dx%d to %dx%d", f.size, ui.MinWidth, ui.MinHeight, mostColumns, mostRows)
	}
	if !slices.Contains(ui.Views(), f.view) {
		return nil, exit.Usage("--view %q is not known; it is one of %s", f.view, strings.Join(ui.Views(), ", "))
	}
	if ending := filepath.Ext(f.file); ending != "" && ending != ".svg" {
		return nil, exit.Usage("--picture %s: pictures are SVG, so the name must end in .svg", f.file)
	}
	folder := filepath.Dir(f.file)
	if info, err := os.Stat(folder); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("cannot write the picture %s: there is no directory %s", f.file, folder)
	}
	if info, err := os.Stat(f.file); err == nil && info.IsDir() {
		return nil, fmt.Errorf("cannot write the picture %s: it is a directory; name a file in it", f.file)
	}
	return options, nil
}

// Picture draws a picture of the screen to a file, which is replaced only by a
// whole one. A journal that no process writes is drawn as of its newest arrival:
// that is when the screen looked so.
func (s *Session) Picture(ctx context.Context, f PictureFlags, options *ui.FrameOptions) error {
	stop, err := s.fold(ctx)
	if err != nil {
		return err
	}
	defer stop()
	if err := s.folded(ctx); err != nil {
		return err
	}
	o := s.options()
	o.Theme, o.Remarks, o.Now = s.Output.theme, nil, s.Feed.Started // the moment drawn
	frame, theme, err := options.Draw(ctx, o)
	if err != nil {
		return err
	}
	return replaceFile(f.file, []byte(picture.SVG(frame, options.W, options.H, theme)))
}

// Moment is the time of a picture: now, or when the newest delivery arrived if no
// process writes the journal any more.
func Moment(ctx context.Context, h settings.Location) (time.Time, error) {
	if _, alive, err := h.Writer(); alive || err != nil {
		return time.Now(), nil
	}
	r, err := h.Reader()
	if err != nil {
		return time.Time{}, err
	}
	defer r.Close()
	_, last, err := r.Range(ctx)
	if err != nil || last == 0 {
		return time.Now(), err
	}
	d, err := r.Get(ctx, last)
	return d.Received, err
}

// folded waits until all there is has been folded.
func (s *Session) folded(ctx context.Context) error {
	trouble := ""
	err := s.Feed.Until(ctx, func() bool {
		trouble = s.Feed.Trouble()
		loading, _, _ := s.Feed.Loading()
		return trouble != "" || !loading
	})
	switch {
	case trouble != "":
		return errors.New(trouble)
	case err != nil:
		return exit.With(exit.Interrupted, errors.New("interrupted; no picture was written"))
	}
	return nil
}
