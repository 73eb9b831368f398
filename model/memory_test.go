package model

import (
	"runtime"
	"slices"
	"testing"
)

// heap is what is in use after a collection, in bytes.
func heap() float64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

// boardSize is what a board of such lives weighs, in bytes. The deliveries and
// what only they hold are gone when it is measured.
func boardSize(lengths []int) float64 {
	before := heap()
	board := fold(livesOf(lengths))
	size := heap() - before
	runtime.KeepAlive(board)
	return size
}

// weigh measures bytes per task with four features of four observations, and
// per further message, which holds four observations. A task with more messages
// has room for some that have not come yet, so all lengths of life take part.
func weigh(tasks int) (task, message float64) {
	short := slices.Repeat([]int{4}, tasks)
	long := make([]int, tasks/10)
	more := 0
	for i := range long {
		long[i] = 5 + i%40
		more += long[i] - 4
	}
	task = boardSize(short) / float64(tasks)
	message = (boardSize(long) - task*float64(len(long))) / float64(more)
	return task, message
}

func BenchmarkMemory(b *testing.B) {
	var task, message float64
	for b.Loop() {
		task, message = weigh(100_000)
	}
	b.ReportMetric(task, "B/task")
	b.ReportMetric(message, "B/message")
}

func TestTasksAreKeptInLittleMemory(t *testing.T) {
	task, message := weigh(5_000)
	t.Logf("%.0f bytes a task, %.1f a further message", task, message)
	if task > 660 { // the goal is 600
		t.Errorf("a task with four messages takes %.0f bytes", task)
	}
	if message > 72 { // the goal is 64
		t.Errorf("a further message takes %.1f bytes", message)
	}
}
