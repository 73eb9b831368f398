package ui

import (
	"strings"

	"aspectop/model"
)

// short is an id cut to w cells. The beginning of a UUID tells it apart well
// enough, and needs no ellipsis to say that it goes on.
func short(id string, w int) string {
	if len(id) == 36 && w < 36 {
		return id[:min(8, max(0, w))]
	}
	return id
}

// upper is a feature's name as a heading.
func upper(s string) string { return strings.ToUpper(s) }

// assetName is what the task's asset is called, as far as that is known.
func (m *Model) assetName(t *model.Task) string { return t.AssetID() }

// userID is the task's user, unless presentation hides it.
func (m *Model) userID(t *model.Task) string {
	if m.hidden {
		return "(hidden)"
	}
	return t.UserID()
}
