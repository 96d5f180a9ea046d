package main

import (
	"bytes"
	"debug/macho"
	"encoding/binary"
	"fmt"
)

// universalAlign is how programs lie in a universal one: on pages of 16 KB, as Apple's
// processors have them.
const universalAlign = 14

// universal joins programs of macOS for several processors into one.
func universal(programs ...[]byte) ([]byte, error) {
	head := binary.BigEndian.AppendUint32(nil, macho.MagicFat)
	head = binary.BigEndian.AppendUint32(head, uint32(len(programs)))
	const page = 1 << universalAlign
	var body []byte
	for _, program := range programs {
		file, err := macho.NewFile(bytes.NewReader(program))
		if err != nil {
			return nil, fmt.Errorf("read a program of macOS: %w", err)
		}
		body = append(body, make([]byte, -len(body)&(page-1))...)
		for _, field := range []uint32{uint32(file.Cpu), file.SubCpu, uint32(page + len(body)), uint32(len(program)), universalAlign} {
			head = binary.BigEndian.AppendUint32(head, field)
		}
		body = append(body, program...)
	}
	return append(append(head, make([]byte, page-len(head))...), body...), nil
}
