package model

// Newest is the number of the message that tells the newest news of the task.
// Whoever folds in the order of arrival knows by it, at no cost, whether the
// message just folded is late: another one is the newest still.
func (t *Task) Newest() int64 { return t.marks[t.newest].seq }

// Changes lists what differs between two lists of features, both sorted by
// [CompareFeatures], in that order.
func Changes(before, after []Feature) []Change {
	return diff(&shape{features: before}, &shape{features: after})
}
