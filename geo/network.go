package geo

import (
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"sync"

	"rempart/third_party/ipdata"
)

// NetworkName is what an autonomous system is called, "" if that is not known. If the user's file of networks is in use,
// its names are; they are collected at the first question.
func (p *Places) NetworkName(network uint32) string {
	if p.network != nil {
		return p.names()[network]
	}
	return builtInNames().find(network)
}

// maxNames bounds the names that are collected from the user's file.
const maxNames = 1 << 20

// ownNames collects the names of the networks in the user's file. Of several names of one network the first holds.
func (p *Places) ownNames() map[uint32]string {
	names := map[uint32]string{}
	for r := range p.network.Networks() {
		var record struct {
			Number uint32 `maxminddb:"autonomous_system_number"`
			Name   string `maxminddb:"autonomous_system_organization"`
		}
		if r.Decode(&record) != nil || record.Number == 0 || record.Name == "" {
			continue // a record of another form has no name
		}
		if _, ok := names[record.Number]; !ok {
			if len(names) == maxNames {
				break
			}
			names[record.Number] = record.Name
		}
	}
	return names
}

// nameTable holds the names of networks one behind the other.
type nameTable struct {
	numbers []uint32 // ascending
	ends    []uint32 // of each name, in text
	text    string
}

func (t *nameTable) find(network uint32) string {
	i, ok := slices.BinarySearch(t.numbers, network)
	if !ok {
		return ""
	}
	begin := uint32(0)
	if i > 0 {
		begin = t.ends[i-1] + 1
	}
	return t.text[begin:t.ends[i]]
}

var builtInNames = sync.OnceValue(func() *nameTable { return must(parseNames(ipdata.Names)) })

// parseNames reads how many names there are, the distances between the numbers as uvarint, and the names, each with a line
// feed.
func parseNames(packed []byte) (*nameTable, error) {
	damaged := errors.New("names of networks are damaged")
	b, err := unpack(packed)
	if err != nil {
		return nil, err
	}
	n, size := binary.Uvarint(b)
	if size <= 0 || n > maxNames {
		return nil, damaged
	}
	b = b[size:]
	t := &nameTable{numbers: make([]uint32, n), ends: make([]uint32, n)}
	number := uint64(0)
	for i := range t.numbers {
		distance, size := binary.Uvarint(b)
		if size <= 0 {
			return nil, damaged
		}
		b = b[size:]
		number += distance
		t.numbers[i] = uint32(number)
	}
	t.text = string(b)
	end := 0
	for i := range t.ends {
		length := strings.IndexByte(t.text[end:], '\n')
		if length < 0 {
			return nil, damaged
		}
		t.ends[i] = uint32(end + length)
		end += length + 1
	}
	return t, nil
}
