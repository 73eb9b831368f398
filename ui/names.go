package ui

import "aspectop/model"

// short is an id cut to w cells. The beginning of a UUID tells it apart well
// enough, and needs no ellipsis to say that it goes on.
func short(id string, w int) string {
	if len(id) == 36 && w < 36 {
		return id[:min(8, max(0, w))]
	}
	return id
}

// assetName is what the task's asset is called, or its id as long as that is not
// known.
func (m *Model) assetName(t *model.Task) string {
	if m.opt.Names != nil {
		if name, ok := m.opt.Names.Get(t.AssetID()); ok {
			return name
		}
	}
	return t.AssetID()
}

// wantNames asks for the names of the assets in sight.
func (m *Model) wantNames() {
	if m.opt.Names == nil {
		return
	}
	v := m.views[viewTasks].(*tasksView)
	assets := []string{}
	for i := v.rows.top; i < min(v.rows.top+2*m.h, len(v.order.rows)); i++ {
		assets = append(assets, v.task(m, i).AssetID())
	}
	if s := m.pointed(); s.task != nil {
		assets = append(assets, s.task.AssetID())
	}
	m.opt.Names.Want(assets...)
}

// userID is the task's user, unless presentation hides it.
func (m *Model) userID(t *model.Task) string {
	if m.hidden {
		return "(hidden)"
	}
	return t.UserID()
}
