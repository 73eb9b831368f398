package source

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"slices"
	"time"

	"aspectop/model"
)

// snapshotID identifies a snapshot by its features and time, because the rest of a
// task may be formatted differently each time.
func snapshotID(s *model.Snapshot) string { return "api:" + s.ID + ":" + digest(content(s)) }

// turnID identifies a snapshot that says that a task is gone or back. As this can
// happen repeatedly, it includes the number of messages so far.
func turnID(s *model.Snapshot, before known) string {
	h := content(s)
	fmt.Fprintf(h, "gone %v after %d", !before.gone, before.messages)
	return "api:" + s.ID + ":" + digest(h)
}

func content(s *model.Snapshot) hash.Hash {
	h := sha256.New()
	fmt.Fprintln(h, s.Updated.UTC().Format(time.RFC3339Nano))
	for _, f := range s.Features {
		fmt.Fprintf(h, "%q %q\n", f.Name, f.State)
	}
	return h
}

// digest is 64 bits of the hash: ids are compared within one task.
func digest(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)[:8]) }

// newsTo reports whether s is newer than k.
func newsTo(k known, s *model.Snapshot) bool {
	return s.Updated.After(k.Updated) || s.Updated.Equal(k.Updated) && !slices.Equal(s.Features, k.Features)
}

// goneBody is the body of a delivery that says that the API no longer knows a task;
// see [model.Gone].
func goneBody(s *model.Snapshot, at time.Time) []byte {
	type feature struct {
		State model.State `json:"state"`
	}
	body := struct {
		ID        string             `json:"id"`
		AssetID   string             `json:"asset_id,omitempty"`
		Features  map[string]feature `json:"features,omitempty"`
		UserID    string             `json:"user_id,omitempty"`
		Created   time.Time          `json:"created,omitzero"`
		Updated   time.Time          `json:"updated,omitzero"`
		Gone      bool               `json:"gone"`
		Timestamp time.Time          `json:"timestamp"`
	}{
		ID: s.ID, AssetID: s.AssetID, UserID: s.UserID, Created: s.Created, Updated: s.Updated,
		Features: map[string]feature{}, Gone: true, Timestamp: at,
	}
	for _, f := range s.Features {
		body.Features[f.Name] = feature{f.State}
	}
	b, err := json.Marshal(body)
	if err != nil {
		panic(err) // texts and times out of JSON; years beyond four digits were never read
	}
	return b
}
