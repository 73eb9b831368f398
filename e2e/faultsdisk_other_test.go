//go:build unix && !linux

package e2e

// The disks of these faults are mounted as Linux mounts them.
var diskFaults []diskFault
