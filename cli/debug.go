package cli

import (
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"time"

	"github.com/spf13/cobra"

	"aspectop/cli/exit"
	"aspectop/cli/settings"
	"aspectop/private"
	"aspectop/receiver"
)

// pprofFlag is hidden: it is for developers of aspectop.
const pprofFlag = "pprof"

// startDebugLog writes [slog] records to the file named by ASPECTOP_DEBUG, or
// discards them. Records contain ids, states, URLs without credentials, durations
// and errors: never a secret, a header or a body.
func startDebugLog() (stop func(), err error) {
	path := os.Getenv(settings.DebugVariable)
	if path == "" {
		slog.SetDefault(slog.New(slog.DiscardHandler))
		return func() {}, nil
	}
	var f *os.File
	path, err = settings.ExpandPath(path)
	if err == nil {
		f, err = private.Open(path, os.O_WRONLY|os.O_APPEND)
	}
	if err != nil {
		return nil, exit.Usage("%s: %w", settings.DebugVariable, err)
	}
	slog.SetDefault(slog.New(slog.NewTextHandler(f, &slog.HandlerOptions{Level: slog.LevelDebug})))
	slog.Debug("started", "version", readBuild().version, "pid", os.Getpid())
	return func() { f.Close() }, nil
}

// servePprof serves Go's profiles on a loopback address until the process ends.
func servePprof(cmd *cobra.Command) error {
	address := cmd.Flag(pprofFlag).Value.String()
	if address == "" {
		return nil
	}
	if receiver.Public(address) {
		return exit.Usage("--%s %s: must be a loopback address, such as 127.0.0.1:6060", pprofFlag, address)
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return exit.Setup(err)
	}
	fmt.Fprintf(os.Stderr, "aspectop: profiles at http://%s/debug/pprof/\n", l.Addr())
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)}
	go func() { slog.Error("pprof", "err", server.Serve(l)) }()
	return nil
}
