package model

import "slices"

// DocumentedFeatures are the features of the provider's page, in the order in
// which they are always shown.
func DocumentedFeatures() []string { return slices.Clone(documented) }
