package screen

import "aspectop/model"

// AssetName is what the task's asset is called, or its id as long as that is not
// known.
func (s *Screen) AssetName(t *model.Task) string {
	if s.Names != nil {
		if name, ok := s.Names.Get(t.AssetID()); ok {
			return name
		}
	}
	return t.AssetID()
}

// UserID is the task's user, unless presentation hides it.
func (s *Screen) UserID(t *model.Task) string { return s.Shown(t.UserID()) }

// Shown is a text that presentation hides, such as a URL.
func (s *Screen) Shown(text string) string {
	if s.Hidden {
		return "(hidden)"
	}
	return text
}

// Features are the names of all features seen, the documented ones first.
func (s *Screen) Features() []string {
	names := model.DocumentedFeatures()
	last := names[len(names)-1]
	for _, name := range s.Board.Stats().Features() {
		if model.CompareFeatures(name, last) > 0 {
			names = append(names, name)
		}
	}
	return names
}
