package model

import (
	"fmt"
	"time"
)

// at is a time of the day that all tests play on.
func at(clock string) time.Time {
	t, err := time.Parse("2006-01-02 15:04:05", "2026-11-23 "+clock)
	if err != nil {
		panic(err)
	}
	return t
}

// envelope is the body of an event about a task whose ids derive from task.
func envelope(typ, task, updated, features string) []byte {
	stamp := at(updated).Format(time.RFC3339)
	return fmt.Appendf(nil, `{"timestamp":%q,"user_id":"caller","event_id":%q,"event_type":%q,"data":{"task":{`+
		`"id":%q,"asset_id":%q,"features":{%s},"user_id":"user-1","created":"2026-11-23T11:00:00Z","updated":%q}}}`,
		stamp, "event-"+task, typ, task, "asset-"+task, features, stamp)
}
