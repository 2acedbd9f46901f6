//! One pass over a message file a line on stdin; how well each message was read on the first line of stdout.
//! bench/peers/__init__.py says what the file and the lines hold.

use std::hint::black_box;
use std::io::{self, BufRead, Write};
use std::panic::{self, AssertUnwindSafe};

use gsm_map::dialogue::application_context;
use gsm_map::operations::{
    alert_sc::*, auth::*, call_handling::*, fault_recovery::*, gprs_location::*, handover::*, imei::*, inform_sc::*,
    lcs::*, location::*, mo_forward_sm::*, mt_forward_sm::*, notification::*, oam::*, ready_for_sm::*, report_sm::*,
    sri_sm::*, subscriber_data::*, subscriber_info::*, ussd::*,
};
use gsm_map::IsdnAddressString;
use sccp::{SccpAddress, SccpMessage, SubsystemNumber};
use tcap::{Component, OperationCode, ReturnResult};

const WHOLE: u8 = b'w';
const NOT_SCCP: u8 = b's';
const NOT_TCAP: u8 = b't';
const NOT_MAP: u8 = b'm'; // an argument or result that the crate refuses
const UNKNOWN: u8 = b'u'; // one that it has no type for: CAP, MAP version 1
const PANIC: u8 = b'p';

fn typed<T: rasn::Decode>(octets: &[u8]) -> u8 {
    match gsm_map::decode::<T>(octets) {
        Ok(value) => {
            black_box(&value);
            WHOLE
        }
        Err(_) => NOT_MAP,
    }
}

fn argument(opcode: i64, octets: &[u8]) -> u8 {
    match opcode {
        2 => typed::<UpdateLocationArg>(octets),
        3 => typed::<CancelLocationArg>(octets),
        4 => typed::<ProvideRoamingNumberArg>(octets),
        5 => typed::<NoteSubscriberDataModifiedArg>(octets),
        7 => typed::<InsertSubscriberDataArg>(octets),
        8 => typed::<DeleteSubscriberDataArg>(octets),
        15 => typed::<AuthenticationFailureReportArg>(octets),
        22 => typed::<SendRoutingInfoArg>(octets),
        23 => typed::<UpdateGprsLocationArg>(octets),
        24 => typed::<SendRoutingInfoForGprsArg>(octets),
        25 => typed::<FailureReportArg>(octets),
        26 => typed::<NoteMsPresentForGprsArg>(octets),
        37 => typed::<ResetArg>(octets),
        43 => typed::<CheckImeiArg>(octets),
        44 => typed::<MtForwardSmArg>(octets),
        45 => typed::<RoutingInfoForSmArg>(octets),
        46 => typed::<MoForwardSmArg>(octets),
        47 => typed::<ReportSmDeliveryStatusArg>(octets),
        50 => typed::<ActivateTraceModeArg>(octets),
        51 => typed::<DeactivateTraceModeArg>(octets),
        55 => typed::<SendIdentificationArg>(octets),
        56 => typed::<SendAuthenticationInfoArg>(octets),
        57 => typed::<RestoreDataArg>(octets),
        58 => typed::<IsdnAddressString>(octets),
        59 => typed::<ProcessUnstructuredSsRequestArg>(octets),
        60 => typed::<UnstructuredSsRequestArg>(octets),
        61 => typed::<UnstructuredSsNotifyArg>(octets),
        62 => typed::<AnyTimeSubscriptionInterrogationArg>(octets),
        63 => typed::<InformServiceCentreArg>(octets),
        64 => typed::<AlertServiceCentreArg>(octets),
        65 => typed::<AnyTimeModificationArg>(octets),
        66 => typed::<ReadyForSmArg>(octets),
        67 => typed::<PurgeMsArg>(octets),
        68 => typed::<PrepareHandoverArg>(octets),
        70 => typed::<ProvideSubscriberInfoArg>(octets),
        71 => typed::<AnyTimeInterrogationArg>(octets),
        83 => typed::<ProvideSubscriberLocationArg>(octets),
        85 => typed::<SendRoutingInfoForLcsArg>(octets),
        86 => typed::<SubscriberLocationReportArg>(octets),
        _ => UNKNOWN,
    }
}

fn result(opcode: i64, octets: &[u8]) -> u8 {
    match opcode {
        2 => typed::<UpdateLocationRes>(octets),
        4 => typed::<ProvideRoamingNumberRes>(octets),
        7 => typed::<InsertSubscriberDataRes>(octets),
        22 => typed::<SendRoutingInfoRes>(octets),
        23 => typed::<UpdateGprsLocationRes>(octets),
        45 => typed::<RoutingInfoForSmRes>(octets),
        55 => typed::<SendIdentificationRes>(octets),
        56 => typed::<SendAuthenticationInfoRes>(octets),
        59 => typed::<ProcessUnstructuredSsRequestRes>(octets),
        70 => typed::<ProvideSubscriberInfoRes>(octets),
        71 => typed::<AnyTimeInterrogationRes>(octets),
        _ => UNKNOWN,
    }
}

fn parameter(opcode: &OperationCode, octets: Option<&rasn::types::Any>, cap: bool, read: fn(i64, &[u8]) -> u8) -> u8 {
    match (opcode, octets) {
        (_, None) => WHOLE,
        (OperationCode::Local(code), Some(octets)) if !cap => read(*code, octets.as_bytes()),
        _ => UNKNOWN,
    }
}

fn returned(value: &ReturnResult, cap: bool) -> u8 {
    match &value.result {
        Some(found) => parameter(&found.operation_code, found.parameter.as_ref(), cap, result),
        None => WHOLE,
    }
}

fn component(found: &Component, cap: bool) -> u8 {
    match found {
        Component::Invoke(one) => parameter(&one.operation_code, one.parameter.as_ref(), cap, argument),
        Component::ReturnResultLast(one) | Component::ReturnResultNotLast(one) => returned(one, cap),
        Component::ReturnError(_) | Component::Reject(_) => WHOLE,
    }
}

fn is_cap(party: &SccpAddress) -> bool {
    party.ssn == Some(SubsystemNumber::Cap)
}

fn read(octets: &[u8]) -> u8 {
    let Ok(message) = SccpMessage::decode(octets) else { return NOT_SCCP };
    let Ok(found) = tcap::decode(message.data()) else { return NOT_TCAP };
    if let Some(portion) = found.dialogue_portion() {
        match application_context(portion) {
            Ok(context) => black_box(context),
            Err(_) => return NOT_TCAP,
        };
    }
    let cap = is_cap(message.called_party()) || is_cap(message.calling_party());
    let worst = found.components().iter().map(|one| component(one, cap)).find(|&how| how != WHOLE);
    black_box((&message, &found));
    worst.unwrap_or(WHOLE)
}

fn messages(file: &[u8]) -> Vec<&[u8]> {
    let (mut found, mut rest) = (Vec::new(), file);
    while let Some((length, behind)) = rest.split_first_chunk::<4>() {
        let (message, behind) = behind.split_at(u32::from_be_bytes(*length) as usize);
        found.push(message);
        rest = behind;
    }
    found
}

fn main() -> io::Result<()> {
    let path = std::env::args().nth(1).expect("give a message file");
    let file = std::fs::read(path)?;
    let all = messages(&file);
    panic::set_hook(Box::new(|_| ()));
    let caught = |one: &&[u8]| panic::catch_unwind(AssertUnwindSafe(|| read(one))).unwrap_or(PANIC);
    let mut out = io::stdout();
    out.write_all(&all.iter().map(caught).collect::<Vec<u8>>())?;
    out.write_all(b"\n")?;
    out.flush()?;
    for line in io::stdin().lock().lines() {
        line?;
        let whole = all.iter().map(caught).filter(|&how| how == WHOLE).count();
        writeln!(out, "{whole}")?;
        out.flush()?;
    }
    Ok(())
}
