"""TCAP (ITU-T Q.773) over a Group of messages. Nothing of it is called from Python: see mapop.parse.

`tcap_group(Group*)` reads Msg.data of each message that is whole (no segment, or the last one reassembled) and writes
package type, transaction ids, ACN, place of the MAP-OpenInfo and all components, at most MAX_COMPONENTS a message.
What is wrong is noted in Msg.error_* (layer `tcap` or `component`, octets from the start of the SCCP message); what
can still be read is read. User data that begin with no tag of TCAP are another user's where the called subsystem number
says so (exception not_tcap; SCCP management is decoded), else malformed. Cost: O(octets).
"""
