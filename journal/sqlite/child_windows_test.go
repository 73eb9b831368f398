package sqlite

import "errors"

func fillLimited([]string) error     { return errors.ErrUnsupported }
func fillSmallDisk([]string) error   { return errors.ErrUnsupported }
func keepOnSmallDisk([]string) error { return errors.ErrUnsupported }
func useReadOnly([]string) error     { return errors.ErrUnsupported }
