// Command release makes what is published of a version: archives for six
// platforms, deb and rpm packages, each with the manual, completions and the
// licences of all that is in the program; a bill of materials; checksums. The
// same commit gives the same bytes.
//
//	go run ./.ci/release            writes dist/
//	go run ./.ci/release -twice     makes it twice and compares
//	go run ./.ci/release -licences  only looks whether all licences are known
package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The tools, pinned. Later versions of nfpm need modules that not every proxy
// has.
const (
	nfpm      = "github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.0"
	cyclonedx = "github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0"
)

var platforms = []struct{ os, arch string }{
	{"linux", "amd64"}, {"linux", "arm64"}, {"darwin", "amd64"}, {"darwin", "arm64"}, {"windows", "amd64"}, {"windows", "arm64"},
}

func main() {
	twice := flag.Bool("twice", false, "make everything twice, and fail if the bytes differ")
	licences := flag.Bool("licences", false, "only check that all licences are known")
	flag.Parse()
	var err error
	switch {
	case *licences:
		_, err = thirdParty()
	case *twice:
		err = compare()
	default:
		err = produce("dist")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// compare makes the release in two folders.
func compare() error {
	var sums [2]string
	for i := range sums {
		dir, err := os.MkdirTemp("", "aspectop-release-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		if err := produce(dir); err != nil {
			return err
		}
		b, err := os.ReadFile(filepath.Join(dir, "SHA256SUMS"))
		if err != nil {
			return err
		}
		sums[i] = string(b)
	}
	if sums[0] != sums[1] {
		return fmt.Errorf("the same commit gave different bytes:\n%s\n%s", sums[0], sums[1])
	}
	fmt.Print("twice the same:\n", sums[0])
	return nil
}

// release is one that is being made.
type release struct {
	dir, version string
	at           time.Time // of the commit
	beside       []file    // what goes with the program
}

type file struct {
	name    string
	content []byte
	mode    fs.FileMode
}

func produce(dir string) error {
	r, err := newRelease(dir)
	if err != nil {
		return err
	}
	for _, p := range platforms {
		if err := r.platform(p.os, p.arch); err != nil {
			return err
		}
	}
	return r.sum()
}

func newRelease(dir string) (*release, error) {
	if out, err := run(nil, "git", "status", "--porcelain"); err != nil || len(out) > 0 {
		return nil, errors.Join(err, fmt.Errorf("commit first: a release is made of a commit, and there is more\n%s", out))
	}
	described, err := run(nil, "git", "describe", "--tags", "--always", "--match", "v*")
	if err != nil {
		return nil, err
	}
	r := &release{dir: dir, version: strings.TrimPrefix(strings.TrimSpace(string(described)), "v")}
	if !regexp.MustCompile(`^\d+\.`).MatchString(r.version) {
		r.version = "0.0.0-" + r.version // no version was tagged yet
	}
	stamp, err := run(nil, "git", "log", "-1", "--format=%ct")
	if err != nil {
		return nil, err
	}
	seconds, err := strconv.ParseInt(strings.TrimSpace(string(stamp)), 10, 64)
	if err != nil {
		return nil, err
	}
	r.at = time.Unix(seconds, 0).UTC()
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o755)); err != nil {
		return nil, err
	}
	return r, r.collect()
}

// collect makes what goes with the program on every platform.
func (r *release) collect() error {
	notices, err := thirdParty()
	if err != nil {
		return err
	}
	r.beside = append(r.beside, file{"THIRD_PARTY_LICENSES", notices, 0o644})
	for _, name := range []string{"LICENSE", "README.md", "CHANGELOG.md"} {
		b, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		r.beside = append(r.beside, file{name, b, 0o644})
	}
	for name, args := range map[string][]string{
		"aspectop.1": {"man"}, "completions/aspectop.bash": {"completion", "bash"}, "completions/_aspectop": {"completion", "zsh"},
		"completions/aspectop.fish": {"completion", "fish"}, "completions/aspectop.ps1": {"completion", "powershell"},
	} {
		b, err := run(nil, "go", append([]string{"run", "."}, args...)...)
		if err != nil {
			return err
		}
		r.beside = append(r.beside, file{name, b, 0o644})
	}
	slices.SortFunc(r.beside, func(a, b file) int { return cmp.Compare(a.name, b.name) })
	return nil
}

// platform makes the archive, and for Linux the packages.
func (r *release) platform(goos, goarch string) error {
	work, err := os.MkdirTemp("", "aspectop-build-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	program := "aspectop"
	if goos == "windows" {
		program += ".exe"
	}
	path := filepath.Join(work, program)
	env := []string{"CGO_ENABLED=0", "GOOS=" + goos, "GOARCH=" + goarch, "GOFLAGS="}
	if _, err := run(env, "go", "build", "-trimpath", "-ldflags", "-s -w -buildid=", "-o", path, "."); err != nil {
		return err
	}
	binary, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	name := fmt.Sprintf("aspectop_%s_%s_%s", r.version, goos, goarch)
	files := append([]file{{program, binary, 0o755}}, r.beside...)
	if goos == "windows" {
		return r.zip(name, files)
	}
	if err := r.tar(name, files); err != nil || goos != "linux" {
		return err
	}
	// What is in the program is read from the program.
	bom := filepath.Join(r.dir, name+".cdx.json")
	if _, err := run(nil, "go", "run", cyclonedx, "bin", "-json", "-licenses", "-std", "-noserial", "-notimestamp",
		"-version", "v"+r.version, "-output", bom, path); err != nil {
		return err
	}
	return r.packages(work, goarch)
}

func (r *release) tar(name string, files []file) error {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
	t := tar.NewWriter(z)
	for _, f := range files {
		err := t.WriteHeader(&tar.Header{
			Name: name + "/" + f.name, Mode: int64(f.mode), Size: int64(len(f.content)), ModTime: r.at, Format: tar.FormatUSTAR,
		})
		if err == nil {
			_, err = t.Write(f.content)
		}
		if err != nil {
			return err
		}
	}
	if err := errors.Join(t.Close(), z.Close()); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.dir, name+".tar.gz"), b.Bytes(), 0o644)
}

func (r *release) zip(name string, files []file) error {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range files {
		h := &zip.FileHeader{Name: name + "/" + f.name, Method: zip.Deflate, Modified: r.at}
		h.SetMode(f.mode)
		w, err := z.CreateHeader(h)
		if err == nil {
			_, err = w.Write(f.content)
		}
		if err != nil {
			return err
		}
	}
	if err := z.Close(); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.dir, name+".zip"), b.Bytes(), 0o644)
}

// places is where a package puts what goes with the program.
var places = map[string]string{
	"LICENSE": "/usr/share/doc/aspectop/LICENSE", "THIRD_PARTY_LICENSES": "/usr/share/doc/aspectop/THIRD_PARTY_LICENSES",
	"README.md": "/usr/share/doc/aspectop/README.md", "CHANGELOG.md": "/usr/share/doc/aspectop/CHANGELOG.md",
	"aspectop.1":                "/usr/share/man/man1/aspectop.1",
	"completions/aspectop.bash": "/usr/share/bash-completion/completions/aspectop",
	"completions/_aspectop":     "/usr/share/zsh/site-functions/_aspectop",
	"completions/aspectop.fish": "/usr/share/fish/vendor_completions.d/aspectop.fish",
}

// packages makes the deb and the rpm of the program in the folder.
func (r *release) packages(work, goarch string) error {
	stamp := r.at.Format(time.RFC3339)
	config := fmt.Sprintf("name: aspectop\narch: %s\nplatform: linux\nversion: %q\nmtime: %s\nsection: utils\nlicense: MIT\n"+
		"maintainer: aspectop's maintainers <aspectop@localhost>\nhomepage: https://aspect.inc\ndescription: top for Aspect media tasks\n"+
		"rpm:\n  buildhost: localhost\ncontents:\n"+
		"- {src: %s, dst: /usr/bin/aspectop, file_info: {mode: 0755, mtime: %s}}\n", goarch, r.version, stamp, filepath.Join(work, "aspectop"), stamp)
	for _, f := range r.beside {
		place, ok := places[f.name]
		if !ok {
			continue // for another system
		}
		src := filepath.Join(work, "beside", f.name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(src), 0o755), os.WriteFile(src, f.content, f.mode)); err != nil {
			return err
		}
		config += fmt.Sprintf("- {src: %s, dst: %s, file_info: {mode: 0644, mtime: %s}}\n", src, place, stamp)
	}
	path := filepath.Join(work, "nfpm.yaml")
	if err := os.WriteFile(path, []byte(config), 0o644); err != nil {
		return err
	}
	for _, packager := range []string{"deb", "rpm"} {
		target := filepath.Join(r.dir, fmt.Sprintf("aspectop_%s_linux_%s.%s", r.version, goarch, packager))
		env := []string{fmt.Sprintf("SOURCE_DATE_EPOCH=%d", r.at.Unix())}
		if _, err := run(env, "go", "run", nfpm, "package", "--config", path, "--packager", packager, "--target", target); err != nil {
			return err
		}
	}
	return nil
}

// sum writes the checksums of all that was made, for sha256sum --check.
func (r *release) sum() error {
	entries, err := os.ReadDir(r.dir)
	if err != nil {
		return err
	}
	var sums bytes.Buffer
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(r.dir, e.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(b), e.Name())
	}
	return os.WriteFile(filepath.Join(r.dir, "SHA256SUMS"), sums.Bytes(), 0o644)
}

// known are the licences that what we ship may have, by a sentence of theirs.
var known = []struct {
	name string
	text *regexp.Regexp
}{
	{"MIT", regexp.MustCompile(`(?is)permission is hereby granted, free of charge.*the software is provided "as is"`)},
	{"BSD", regexp.MustCompile(`(?is)redistribution and use in source and binary forms.*this software is provided by`)},
	{"ISC", regexp.MustCompile(`(?is)permission to use, copy, modify, and/?(or)? distribute this software for any`)},
	{"Apache-2.0", regexp.MustCompile(`(?is)apache license\s+version 2\.0`)},
}

// thirdParty returns the licences of all modules that are in the program, on any
// platform. It fails if one has none that is known.
func thirdParty() ([]byte, error) {
	modules := map[string]string{} // "path version" to folder
	for _, p := range platforms {
		out, err := run([]string{"GOOS=" + p.os, "GOARCH=" + p.arch}, "go", "list", "-deps", "-f",
			"{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}\t{{.Dir}}{{end}}{{end}}", ".")
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(string(out)) {
			if name, dir, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok {
				modules[name] = dir
			}
		}
	}
	goroot, err := run(nil, "go", "env", "GOROOT")
	if err != nil {
		return nil, err
	}
	modules["the Go standard library"] = strings.TrimSpace(string(goroot))
	names := make([]string, 0, len(modules))
	for name := range modules {
		names = append(names, name)
	}
	slices.Sort(names)
	var all bytes.Buffer
	var failed []error
	for _, name := range names {
		kind, texts, err := licence(modules[name])
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", name, err))
			continue
		}
		fmt.Printf("%-12s %s\n", kind, name)
		fmt.Fprintf(&all, "%s\n%s\n\n%s\n\n", strings.Repeat("=", 78), name, texts)
	}
	return all.Bytes(), errors.Join(failed...)
}

func licence(dir string) (kind string, text []byte, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", nil, err
	}
	for _, e := range entries {
		upper := strings.ToUpper(e.Name())
		if e.IsDir() || !strings.HasPrefix(upper, "LICEN") && !strings.HasPrefix(upper, "COPYING") && !strings.HasPrefix(upper, "NOTICE") {
			continue
		}
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return "", nil, err
		}
		text = append(text, b...)
		for _, k := range known {
			if kind == "" && k.text.Match(b) {
				kind = k.name
			}
		}
	}
	if kind == "" {
		return "", nil, errors.New("no licence that is known; read it, and add it to the list if it may be shipped")
	}
	return kind, text, nil
}

// run returns what a command prints. env comes on top of our environment.
func run(env []string, name string, args ...string) ([]byte, error) {
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), env...)
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s: %w: %s", strings.Join(append([]string{name}, args...), " "), err, complaint.String())
	}
	return out.Bytes(), nil
}
