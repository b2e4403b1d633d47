/* SPDX-License-Identifier: BSD-2-Clause */
/* The few link types that files number otherwise than libpcap's interface, for the own readers. */
#include <pcap/dlt.h>

#include "capture/linktype.h"

/* The registry's LINKTYPE_ values are libpcap's DLT_ values, but for those over which systems
 * disagree. */
int linktype_dlt(uint32_t linktype)
{
    switch (linktype) {
    case 100: return DLT_ATM_RFC1483;
    case 101: return DLT_RAW;
    case 102: return DLT_SLIP_BSDOS;
    case 103: return DLT_PPP_BSDOS;
    case 106: return DLT_ATM_CLIP;
    case 246: return DLT_PFSYNC;
    default: return (int)linktype;
    }
}
