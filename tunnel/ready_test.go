package tunnel

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aspectop/model"
)

func TestReadyWaitsForTheProbeAndNotForTheConnection(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, b *trial) {
		b.status.Store(530)
		got := make(chan error, 1)
		go func() { got <- b.Ready(t.Context(), ReadyWait) }()
		b.say(model.TunnelConnected, public)
		after(5 * time.Second)
		select {
		case err := <-got:
			t.Fatal("Ready returned before a probe came through:", err)
		default:
		}
		b.status.Store(0)
		after(10 * time.Second)
		if err := <-got; err != nil {
			t.Error(err)
		}
	})
}

func TestReadyNamesTheBrokenHopWhenItsTimeIsUp(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, b *trial) {
		b.status.Store(530)
		b.say(model.TunnelConnected, public)
		start := time.Now()
		err := b.Ready(t.Context(), ReadyWait)
		if time.Since(start) != ReadyWait {
			t.Errorf("it took %s", time.Since(start))
		}
		if err == nil || !strings.Contains(err.Error(), "Cloudflare has no connected tunnel") {
			t.Error(err)
		}
	})
}

func TestReadySaysWhyThereIsNoConnection(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, b *trial) {
		synctest.Wait()
		err := b.Ready(t.Context(), ReadyWait)
		if err == nil || !strings.Contains(err.Error(), "warming up") || errors.Is(err, ErrRefused) {
			t.Error(err)
		}
	})
}

func TestReadyReturnsAtOnceWhenNoTryWillHelp(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, b *trial) {
		b.says <- linkStatus{state: model.TunnelFailed, detail: "bad flag", refused: true}
		synctest.Wait()
		start := time.Now()
		if err := b.Ready(t.Context(), ReadyWait); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "bad flag") {
			t.Error(err)
		}
		if time.Since(start) != 0 {
			t.Errorf("it took %s", time.Since(start))
		}
	})
}

func TestReadyEndsWithItsContextAndWithTheTunnel(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, b *trial) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := b.Ready(ctx, ReadyWait); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		b.Stop()
		if err := b.Ready(t.Context(), ReadyWait); err == nil {
			t.Error("a stopped tunnel is ready")
		}
	})
}
