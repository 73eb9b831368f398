package model

// Role is what a text means, whatever shows it: a theme of the terminal and a
// style sheet say how it looks.
type Role uint8

const (
	RolePlain Role = iota
	RoleDim        // labels, units, what can be skipped
	RoleFaint      // separators
	RoleWaiting
	RoleBusy
	RoleGood
	RoleBad
	RoleWarn
	RoleStopped
	RoleNone // not applicable
	Roles    // their number
)
