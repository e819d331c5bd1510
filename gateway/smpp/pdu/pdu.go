// Package pdu reads and writes the protocol data units of SMPP 3.4.
//
// A [PDU] is its bytes as received, header and all. Fields are views into it; what this package does not know (vendor
// parameters, commands of SMPP 5.0) stays in place, so that a proxy relays a PDU by writing the bytes again. [Reader]
// frames a stream, [Parse] looks into the commands that carry a text, the Append functions write. Nothing here keeps
// state but Reader, and nothing is safe for concurrent use while it is being changed.
//
// Section numbers are those of the SMPP Protocol Specification v3.4, issue 1.2.
package pdu

import "encoding/binary"

// HeaderSize is the length of every PDU's header (3.2): command_length, command_id, command_status, sequence_number.
const HeaderSize = 16

// MaxSize bounds a PDU: the largest parameter is message_payload with 64 KiB.
const MaxSize = 64<<10 + 512

// ID is a command_id (5.1.2.1).
type ID uint32

// Commands.
const (
	GenericNack     ID = 0x80000000
	BindReceiver    ID = 0x00000001
	BindTransmitter ID = 0x00000002
	QuerySM         ID = 0x00000003
	SubmitSM        ID = 0x00000004
	DeliverSM       ID = 0x00000005
	Unbind          ID = 0x00000006
	ReplaceSM       ID = 0x00000007
	CancelSM        ID = 0x00000008
	BindTransceiver ID = 0x00000009
	Outbind         ID = 0x0000000B
	EnquireLink     ID = 0x00000015
	SubmitMulti     ID = 0x00000021
	AlertNotify     ID = 0x00000102
	DataSM          ID = 0x00000103
)

// Resp is the response that belongs to a request.
func (id ID) Resp() ID { return id | 0x80000000 }

// IsResp reports whether id is a response.
func (id ID) IsResp() bool { return id&0x80000000 != 0 }

// IsBind reports whether id asks for a bind.
func (id ID) IsBind() bool {
	return id == BindReceiver || id == BindTransmitter || id == BindTransceiver
}

// Status is a command_status (5.1.3).
type Status uint32

// Statuses that Rempart sends.
const (
	OK            Status = 0x00
	InvalidCmdID  Status = 0x03 // ESME_RINVCMDID
	InvalidBind   Status = 0x04 // ESME_RINVBNDSTS: not in this bind state
	AlreadyBound  Status = 0x05 // ESME_RALYBND
	SystemError   Status = 0x08 // ESME_RSYSERR
	BindFailed    Status = 0x0D // ESME_RBINDFAIL
	QueueFull     Status = 0x14 // ESME_RMSGQFUL
	SubmitFailed  Status = 0x45 // ESME_RSUBMITFAIL
	Throttled     Status = 0x58 // ESME_RTHROTTLED
	ReceiverRetry Status = 0x64 // ESME_RX_T_APPN
	ReceiverNever Status = 0x66 // ESME_RX_R_APPN
)

// PDU is one unit, from its header to its end; at least [HeaderSize] bytes.
type PDU []byte

// ID is the command_id.
func (p PDU) ID() ID { return ID(binary.BigEndian.Uint32(p[4:])) }

// Status is the command_status.
func (p PDU) Status() Status { return Status(binary.BigEndian.Uint32(p[8:])) }

// Sequence is the sequence_number.
func (p PDU) Sequence() uint32 { return binary.BigEndian.Uint32(p[12:]) }

// Body is what follows the header.
func (p PDU) Body() []byte { return p[HeaderSize:] }
