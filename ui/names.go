package ui

import "aspectop/model"

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
	for i := v.rows.Top; i < min(v.rows.Top+2*m.h, len(v.order.rows)); i++ {
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
