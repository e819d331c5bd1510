package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of processor time in /proc, the same on all Linux systems of today.
const tick = 10 * time.Millisecond

// cpu is the processor time that the processes and all they started have used.
func cpu(pids []int) (total time.Duration, err error) {
	for _, pid := range tree(pids) {
		fields, err := stat(pid)
		if err != nil {
			continue // it ended since the tree was read
		}
		for _, f := range fields[11:13] { // utime, stime: fields 14 and 15 of proc(5)
			n, err := strconv.ParseInt(f, 10, 64)
			if err != nil {
				return 0, err
			}
			total += time.Duration(n) * tick
		}
	}
	if total == 0 {
		return 0, fmt.Errorf("processes %v have used no time: are they running?", pids)
	}
	return total, nil
}

// memory notes the proportional set size: pages shared by several processes are counted once in all.
func (r *run) memory(pids []int) error {
	for _, pid := range tree(pids) {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		if err != nil {
			return err
		}
		for line := range bytes.Lines(b) {
			if f := strings.Fields(string(line)); len(f) > 1 && f[0] == "Pss:" {
				kb, err := strconv.ParseInt(f[1], 10, 64)
				if err != nil {
					return err
				}
				r.pss += kb << 10
			}
		}
	}
	return nil
}

// tree is the processes and all they started.
func tree(pids []int) []int {
	children := map[int][]int{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is well formed
	for _, path := range stats {
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			continue
		}
		if fields, err := stat(pid); err == nil {
			if parent, err := strconv.Atoi(fields[1]); err == nil {
				children[parent] = append(children[parent], pid)
			}
		}
	}
	all := slices.Clone(pids)
	for i := 0; i < len(all); i++ {
		all = append(all, children[all[i]]...)
	}
	return all
}

// stat is the fields of /proc/PID/stat behind the name, which may have blanks: the state comes first.
func stat(pid int) ([]string, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil, err
	}
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(fields) < 13 {
		return nil, fmt.Errorf("/proc/%d/stat has %d fields", pid, len(fields))
	}
	return fields, nil
}
