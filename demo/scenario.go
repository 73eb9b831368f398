package demo

// Scenario is what is played: which tasks come and what happens to them.
type Scenario struct {
	// Name is the built-in name or the path that it was loaded from.
	Name string
}

// Scenarios lists the names of the built-in scenarios.
func Scenarios() []string { return []string{"mix"} }

// Load returns a built-in scenario by its name, or one from a file.
func Load(name string) (*Scenario, error) { return &Scenario{Name: name}, nil }
