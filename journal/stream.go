package journal

import (
	"context"
	"strings"
)

// streamPrefix is that of the keys under which the positions of event streams are kept,
// among the targets of forwards.
const streamPrefix = "stream "

// SaveStreamID keeps the last event id of the stream with this key. It is as durable as
// [Journal.SaveForwards].
func SaveStreamID(j Journal, key, id string) error {
	return j.SaveForwards(streamPrefix+key, id, 0, nil)
}

// StreamIDs returns the last event ids that were kept, by the keys of their streams.
func StreamIDs(ctx context.Context, r Reader) (map[string]string, error) {
	targets, err := r.ForwardTargets(ctx)
	ids := map[string]string{}
	for _, t := range targets {
		if key, ok := strings.CutPrefix(t.Key, streamPrefix); ok {
			ids[key] = t.URL
		}
	}
	return ids, err
}
