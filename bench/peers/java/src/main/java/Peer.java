import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Scanner;

import org.apache.log4j.Level;
import org.apache.log4j.Logger;
import org.apache.log4j.varia.NullAppender;
import org.mobicents.protocols.asn.AsnException;
import org.mobicents.protocols.asn.AsnInputStream;
import org.mobicents.protocols.ss7.cap.api.CAPParsingComponentException;
import org.mobicents.protocols.ss7.cap.primitives.CAPAsnPrimitive;
import org.mobicents.protocols.ss7.cap.service.circuitSwitchedCall.*;
import org.mobicents.protocols.ss7.map.api.MAPParsingComponentException;
import org.mobicents.protocols.ss7.map.primitives.MAPAsnPrimitive;
import org.mobicents.protocols.ss7.map.service.callhandling.*;
import org.mobicents.protocols.ss7.map.service.lsm.*;
import org.mobicents.protocols.ss7.map.service.mobility.authentication.*;
import org.mobicents.protocols.ss7.map.service.mobility.faultRecovery.*;
import org.mobicents.protocols.ss7.map.service.mobility.imei.*;
import org.mobicents.protocols.ss7.map.service.mobility.locationManagement.*;
import org.mobicents.protocols.ss7.map.service.mobility.subscriberInformation.*;
import org.mobicents.protocols.ss7.map.service.mobility.subscriberManagement.*;
import org.mobicents.protocols.ss7.map.service.oam.*;
import org.mobicents.protocols.ss7.map.service.pdpContextActivation.*;
import org.mobicents.protocols.ss7.map.service.sms.*;
import org.mobicents.protocols.ss7.map.service.supplementary.*;
import org.mobicents.protocols.ss7.sccp.SccpProtocolVersion;
import org.mobicents.protocols.ss7.sccp.impl.SccpStackImpl;
import org.mobicents.protocols.ss7.sccp.impl.message.MessageFactoryImpl;
import org.mobicents.protocols.ss7.sccp.message.SccpAddressedMessage;
import org.mobicents.protocols.ss7.sccp.message.SccpDataMessage;
import org.mobicents.protocols.ss7.sccp.message.SccpNoticeMessage;
import org.mobicents.protocols.ss7.sccp.parameter.SccpAddress;
import org.mobicents.protocols.ss7.tcap.asn.ApplicationContextName;
import org.mobicents.protocols.ss7.tcap.asn.DialogAPDU;
import org.mobicents.protocols.ss7.tcap.asn.DialogPortion;
import org.mobicents.protocols.ss7.tcap.asn.DialogRequestAPDU;
import org.mobicents.protocols.ss7.tcap.asn.DialogResponseAPDU;
import org.mobicents.protocols.ss7.tcap.asn.TcapFactory;
import org.mobicents.protocols.ss7.tcap.asn.comp.*;

/**
 * One pass over a message file a line on stdin; how well each message was read on the first line of stdout.
 * bench/peers/__init__.py says what the file and the lines hold.
 */
final class Peer {
    private static final char WHOLE = 'w';
    private static final char NOT_SCCP = 's';
    private static final char NOT_TCAP = 't';
    private static final char NOT_MAP = 'm'; // an argument or result that jSS7 refuses
    private static final char UNKNOWN = 'u'; // one that it has no class for
    private static final char PANIC = 'p';
    private static final int CAP_SSN = 146;

    private final MessageFactoryImpl sccp = new MessageFactoryImpl(new SccpStackImpl("peer"));
    private Object lower, upper, last; // what was read is held, so that no read can be left out

    private static MAPAsnPrimitive argument(int opcode, int version) {
        return switch (opcode) {
            case 2 -> new UpdateLocationRequestImpl(version);
            case 3 -> new CancelLocationRequestImpl(version);
            case 4 -> new ProvideRoamingNumberRequestImpl(version);
            case 7 -> new InsertSubscriberDataRequestImpl(version);
            case 8 -> new DeleteSubscriberDataRequestImpl();
            case 15 -> new AuthenticationFailureReportRequestImpl();
            case 22 -> new SendRoutingInformationRequestImpl(version);
            case 23 -> new UpdateGprsLocationRequestImpl();
            case 24 -> new SendRoutingInfoForGprsRequestImpl();
            case 37 -> new ResetRequestImpl(version);
            case 43 -> new CheckImeiRequestImpl(version);
            case 44 -> version == 3 ? new MtForwardShortMessageRequestImpl() : new ForwardShortMessageRequestImpl();
            case 45 -> new SendRoutingInfoForSMRequestImpl();
            case 46 -> version == 3 ? new MoForwardShortMessageRequestImpl() : new ForwardShortMessageRequestImpl();
            case 47 -> new ReportSMDeliveryStatusRequestImpl(version);
            case 55 -> new SendIdentificationRequestImpl(version);
            case 56 -> new SendAuthenticationInfoRequestImpl(version);
            case 57 -> new RestoreDataRequestImpl();
            case 58 -> new SendImsiRequestImpl();
            case 59 -> new ProcessUnstructuredSSRequestImpl();
            case 60 -> new UnstructuredSSRequestImpl();
            case 61 -> new UnstructuredSSNotifyRequestImpl();
            case 62 -> new AnyTimeSubscriptionInterrogationRequestImpl();
            case 63 -> new InformServiceCentreRequestImpl();
            case 64 -> new AlertServiceCentreRequestImpl(64);
            case 66 -> new ReadyForSMRequestImpl();
            case 67 -> new PurgeMSRequestImpl(version);
            case 70 -> new ProvideSubscriberInfoRequestImpl();
            case 71 -> new AnyTimeInterrogationRequestImpl();
            case 83 -> new ProvideSubscriberLocationRequestImpl();
            case 85 -> new SendRoutingInfoForLCSRequestImpl();
            case 86 -> new SubscriberLocationReportRequestImpl();
            default -> null;
        };
    }

    private static MAPAsnPrimitive result(int opcode, int version) {
        return switch (opcode) {
            case 2 -> new UpdateLocationResponseImpl(version);
            case 4 -> new ProvideRoamingNumberResponseImpl(version);
            case 7 -> new InsertSubscriberDataResponseImpl(version);
            case 22 -> new SendRoutingInformationResponseImpl(version);
            case 23 -> new UpdateGprsLocationResponseImpl();
            case 45 -> new SendRoutingInfoForSMResponseImpl();
            case 55 -> new SendIdentificationResponseImpl(version);
            case 56 -> new SendAuthenticationInfoResponseImpl(version);
            case 59 -> new ProcessUnstructuredSSResponseImpl();
            case 70 -> new ProvideSubscriberInfoResponseImpl();
            case 71 -> new AnyTimeInterrogationResponseImpl();
            default -> null;
        };
    }

    private static CAPAsnPrimitive capArgument(int opcode, int version) {
        return switch (opcode) {
            case 0 -> new InitialDPRequestImpl(version >= 3);
            case 20 -> new ConnectRequestImpl();
            case 22 -> new ReleaseCallRequestImpl();
            case 23 -> new RequestReportBCSMEventRequestImpl();
            case 24 -> new EventReportBCSMRequestImpl();
            case 35 -> new ApplyChargingRequestImpl();
            case 36 -> new ApplyChargingReportRequestImpl();
            default -> null;
        };
    }

    private char parameter(OperationCode code, Parameter octets, boolean asked, boolean cap, int version) {
        if (octets == null) {
            return WHOLE;
        }
        if (code == null || code.getLocalOperationCode() == null) {
            return UNKNOWN;
        }
        int opcode = code.getLocalOperationCode().intValue();
        byte[] data = octets.getData();
        AsnInputStream in = new AsnInputStream(data, octets.getTagClass(), octets.isPrimitive(), octets.getTag());
        try {
            if (cap) {
                CAPAsnPrimitive found = asked ? capArgument(opcode, version) : null;
                last = found;
                if (found != null) {
                    found.decodeData(in, data.length);
                }
            } else {
                MAPAsnPrimitive found = asked ? argument(opcode, version) : result(opcode, version);
                last = found;
                if (found != null) {
                    found.decodeData(in, data.length);
                }
            }
        } catch (MAPParsingComponentException | CAPParsingComponentException e) {
            return NOT_MAP;
        }
        return last == null ? UNKNOWN : WHOLE;
    }

    private char component(Component one, boolean cap, int version) {
        if (one instanceof Invoke) {
            Invoke found = (Invoke) one;
            return parameter(found.getOperationCode(), found.getParameter(), true, cap, version);
        }
        if (one instanceof Return) {
            Return found = (Return) one;
            return parameter(found.getOperationCode(), found.getParameter(), false, cap, version);
        }
        return WHOLE;
    }

    private static int version(DialogPortion portion, int without) {
        DialogAPDU found = portion == null ? null : portion.getDialogAPDU();
        ApplicationContextName name = found instanceof DialogRequestAPDU
            ? ((DialogRequestAPDU) found).getApplicationContextName()
            : found instanceof DialogResponseAPDU ? ((DialogResponseAPDU) found).getApplicationContextName() : null;
        return name == null ? without : (int) name.getOid()[name.getOid().length - 1];
    }

    private static boolean isCap(SccpAddress party) {
        return party != null && party.getSubsystemNumber() == CAP_SSN;
    }

    private char read(byte[] octets) throws IOException {
        SccpAddressedMessage message;
        byte[] data;
        try {
            ByteArrayInputStream in = new ByteArrayInputStream(octets);
            message = (SccpAddressedMessage) sccp.createMessage(in.read(), 1, 2, 0, in, SccpProtocolVersion.ITU, 0);
            if (message == null) {
                return NOT_SCCP;
            }
            data = message instanceof SccpDataMessage
                ? ((SccpDataMessage) message).getData() : ((SccpNoticeMessage) message).getData();
        } catch (org.mobicents.protocols.ss7.sccp.message.ParseException e) {
            return NOT_SCCP;
        }
        lower = message;
        boolean cap = isCap(message.getCalledPartyAddress()) || isCap(message.getCallingPartyAddress());
        Component[] components;
        int version;
        try {
            AsnInputStream in = new AsnInputStream(data);
            switch (in.readTag()) {
                case TCBeginMessage._TAG -> {
                    TCBeginMessage found = TcapFactory.createTCBeginMessage(in);
                    upper = found;
                    components = found.getComponent();
                    version = version(found.getDialogPortion(), 1);
                }
                case TCContinueMessage._TAG -> {
                    TCContinueMessage found = TcapFactory.createTCContinueMessage(in);
                    upper = found;
                    components = found.getComponent();
                    version = version(found.getDialogPortion(), 3);
                }
                case TCEndMessage._TAG -> {
                    TCEndMessage found = TcapFactory.createTCEndMessage(in);
                    upper = found;
                    components = found.getComponent();
                    version = version(found.getDialogPortion(), 3);
                }
                case TCAbortMessage._TAG -> {
                    last = TcapFactory.createTCAbortMessage(in);
                    return WHOLE;
                }
                default -> {
                    return NOT_TCAP;
                }
            }
        } catch (org.mobicents.protocols.ss7.tcap.asn.ParseException e) {
            return NOT_TCAP;
        }
        if (components != null) {
            for (Component one : components) {
                char how = component(one, cap, version);
                if (how != WHOLE) {
                    return how;
                }
            }
        }
        return WHOLE;
    }

    private char caught(byte[] octets) {
        try {
            return read(octets);
        } catch (RuntimeException | IOException e) {
            return PANIC;
        }
    }

    public static void main(String[] given) throws IOException {
        Logger.getRootLogger().addAppender(new NullAppender());
        Logger.getRootLogger().setLevel(Level.OFF);
        List<byte[]> all = new ArrayList<>();
        ByteBuffer file = ByteBuffer.wrap(Files.readAllBytes(Path.of(given[0])));
        while (file.hasRemaining()) {
            byte[] message = new byte[file.getInt()];
            file.get(message);
            all.add(message);
        }
        Peer peer = new Peer();
        StringBuilder how = new StringBuilder();
        for (byte[] one : all) {
            how.append(peer.caught(one));
        }
        System.out.println(how);
        Scanner lines = new Scanner(System.in);
        while (lines.hasNextLine()) {
            lines.nextLine();
            int whole = 0;
            for (byte[] one : all) {
                whole += peer.caught(one) == WHOLE ? 1 : 0;
            }
            System.out.println(whole);
        }
    }
}
