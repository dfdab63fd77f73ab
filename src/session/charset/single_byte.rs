//! Character sets whose characters are bytes, the first 128 of them ASCII.
//!
//! The tables are what the server answers to `CONVERT(_latin2 X'80' USING utf32)` and the like.

/// Where a character set has no character for a byte.
const NONE: char = char::REPLACEMENT_CHARACTER;

/// One of them.
#[derive(Debug, PartialEq, Eq)]
pub struct SingleByte {
    pub(super) name: &'static str,
    /// What the bytes above ASCII stand for.
    upper: [char; 128],
}

impl SingleByte {
    /// By MySQL's name, in lower case.
    pub(super) fn find(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|set| set.name == name)
    }

    /// The names.
    pub(super) fn names() -> impl Iterator<Item = &'static str> {
        ALL.iter().map(|set| set.name)
    }

    pub(super) fn character(&self, byte: u8) -> Option<char> {
        match usize::from(byte).checked_sub(128) {
            None => Some(char::from(byte)),
            Some(at) => Some(self.upper[at]).filter(|found| *found != NONE),
        }
    }

    pub(super) fn byte(&self, character: char) -> Option<u8> {
        if character.is_ascii() {
            return u8::try_from(character).ok();
        }
        let at = self.upper.iter().position(|found| *found == character && *found != NONE)?;
        u8::try_from(at + 128).ok()
    }

    const fn new(name: &'static str, characters: &str) -> Self {
        Self { name, upper: upper(characters, 0) }
    }

    /// As ISO 8859 has them: first come the control characters of the same numbers.
    const fn iso(name: &'static str, characters: &str) -> Self {
        Self { name, upper: upper(characters, 32) }
    }
}

/// 128 characters; in place of the first `controls` are the control characters from 128 on.
const fn upper(text: &str, controls: usize) -> [char; 128] {
    let mut found = [NONE; 128];
    let mut at = 0;
    while at < controls {
        found[at] = character(128 + at as u32);
        at += 1;
    }
    let (bytes, mut next) = (text.as_bytes(), 0);
    while next < bytes.len() {
        // None of them is ASCII, nor beyond the basic plane: each has two bytes or three.
        let (bits, length) = match bytes[next] {
            first @ 0xe0.. => ((first & 0x0f) as u32, 3),
            first => ((first & 0x1f) as u32, 2),
        };
        let mut number = bits;
        let mut place = 1;
        while place < length {
            number = number << 6 | (bytes[next + place] & 0x3f) as u32;
            place += 1;
        }
        found[at] = character(number);
        at += 1;
        next += length;
    }
    assert!(at == 128);
    found
}

const fn character(number: u32) -> char {
    match char::from_u32(number) {
        Some(character) => character,
        None => NONE,
    }
}

static ALL: [SingleByte; 22] = [
    SingleByte::new(
        "cp1250",
        "€�‚�„…†‡�‰Š‹ŚŤŽŹ�‘’“”•–—�™š›śťžź\u{a0}ˇ˘Ł¤Ą¦§¨©Ş«¬\u{ad}®Ż°±˛ł´µ¶·¸ąş»Ľ˝ľżŔÁÂĂ\
         ÄĹĆÇČÉĘËĚÍÎĎĐŃŇÓÔŐÖ×ŘŮÚŰÜÝŢßŕáâăäĺćçčéęëěíîďđńňóôőö÷řůúűüýţ˙",
    ),
    SingleByte::new(
        "cp1251",
        "ЂЃ‚ѓ„…†‡€‰Љ‹ЊЌЋЏђ‘’“”•–—�™љ›њќћџ\u{a0}ЎўЈ¤Ґ¦§Ё©Є«¬\u{ad}®Ї°±Ііґµ¶·ё№є»јЅѕїАБВГ\
         ДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯабвгдежзийклмнопрстуфхцчшщъыьэюя",
    ),
    SingleByte::new(
        "cp1256",
        "€\u{67e}‚ƒ„…†‡ˆ‰�‹Œ\u{686}\u{698}�\u{6af}‘’“”•–—�™�›œ\u{200c}\u{200d}�\u{a0}،¢\
         £¤¥¦§¨©�«¬\u{ad}®¯°±²³´µ¶·¸¹\u{61b}»¼½¾\u{61f}�\u{621}\u{622}\u{623}\u{624}\
         \u{625}\u{626}\u{627}\u{628}\u{629}\u{62a}\u{62b}\u{62c}\u{62d}\u{62e}\u{62f}\
         \u{630}\u{631}\u{632}\u{633}\u{634}\u{635}\u{636}×\u{637}\u{638}\u{639}\u{63a}\
         \u{640}\u{641}\u{642}\u{643}à\u{644}â\u{645}\u{646}\u{647}\u{648}çèéêë\u{649}\
         \u{64a}îï\u{64b}\u{64c}\u{64d}\u{64e}ô\u{64f}\u{650}÷\u{651}ù\u{652}ûü\u{200e}\
         \u{200f}�",
    ),
    SingleByte::new(
        "cp1257",
        "€�‚�„…†‡�‰�‹�¨ˇ¸�‘’“”•–—�™�›�¯˛�\u{a0}�¢£¤�¦§Ø©Ŗ«¬\u{ad}®Æ°±²³´µ¶·ø¹ŗ»¼½¾æĄĮĀĆ\
         ÄÅĘĒČÉŹĖĢĶĪĻŠŃŅÓŌÕÖ×ŲŁŚŪÜŻŽßąįāćäåęēčéźėģķīļšńņóōõö÷ųłśūüżž˙",
    ),
    SingleByte::new(
        "cp850",
        "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒáíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐└┴┬├─┼ãÃ╚╔╩╦╠═\
         ╬¤ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u{ad}±‗¾¶§÷¸°¨·¹³²■\u{a0}",
    ),
    SingleByte::new(
        "cp852",
        "ÇüéâäůćçłëŐőîŹÄĆÉĹĺôöĽľŚśÖÜŤťŁ×čáíóúĄąŽžĘę¬źČş«»░▒▓│┤ÁÂĚŞ╣║╗╝Żż┐└┴┬├─┼Ăă╚╔╩╦╠═\
         ╬¤đĐĎËďŇÍÎě┘┌█▄ŢŮ▀ÓßÔŃńňŠšŔÚŕŰýÝţ´\u{ad}˝˛ˇ˘§÷¸°¨˙űŘř■\u{a0}",
    ),
    SingleByte::new(
        "cp866",
        "АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯабвгдежзийклмноп░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═\
         ╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀рстуфхцчшщъыьэюяЁёЄєЇїЎў°∙·√ⁿ²■\u{a0}",
    ),
    SingleByte::iso(
        "dec8",
        "\u{a0}¡¢£�¥�§¤©ª«����°±²³�µ¶·�¹º»¼½�¿ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏ�ÑÒÓÔÕÖŒØÙÚÛÜŸ�ßàáâãäåæçè\
         éêëìíîï�ñòóôõöœøùúûüÿ��",
    ),
    SingleByte::new(
        "geostd8",
        "€�‚�„…†‡�‰�‹�����‘’“”•–—���›����\u{a0}¡¢£¤¥¦§¨©ª«¬\u{ad}®¯°±²³´µ¶·¸¹º»¼½¾¿აბგდ\
         ევზჱთიკლმნჲოპჟრსტჳუფქღყშჩცძწჭხჴჯჰჵ�����������������������№��",
    ),
    SingleByte::iso(
        "greek",
        "\u{a0}ʽʼ£��¦§¨©�«¬\u{ad}�―°±²³΄΅Ά·ΈΉΊ»Ό½ΎΏΐΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡ�ΣΤΥΦΧΨΩΪΫάέήίΰαβγ\
         δεζηθικλμνξοπρςστυφχψωϊϋόύώ�",
    ),
    SingleByte::iso(
        "hebrew",
        "\u{a0}�¢£¤¥¦§¨©×«¬\u{ad}®‾°±²³´µ¶·¸¹÷»¼½¾��������������������������������‗\
         \u{5d0}\u{5d1}\u{5d2}\u{5d3}\u{5d4}\u{5d5}\u{5d6}\u{5d7}\u{5d8}\u{5d9}\u{5da}\
         \u{5db}\u{5dc}\u{5dd}\u{5de}\u{5df}\u{5e0}\u{5e1}\u{5e2}\u{5e3}\u{5e4}\u{5e5}\
         \u{5e6}\u{5e7}\u{5e8}\u{5e9}\u{5ea}��\u{200e}\u{200f}�",
    ),
    SingleByte::iso(
        "hp8",
        "\u{a0}ÀÂÈÊËÎÏ´ˋˆ¨˜ÙÛ₤¯Ýý°ÇçÑñ¡¿¤£¥§ƒ¢âêôûáéóúàèòùäëöüÅîØÆåíøæÄìÖÜÉïßÔÁÃãÐðÍÌÓÒ\
         ÕõŠšÚŸÿÞþ·µ¶¾—¼½ªº«■»±�",
    ),
    SingleByte::new(
        "keybcs2",
        "ČüéďäĎŤčěĚĹÍľĺÄÁÉžŽôöÓůÚýÖÜŠĽÝŘťáíóúňŇŮÔšřŕŔ¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═\
         ╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}",
    ),
    SingleByte::new(
        "koi8r",
        "─│┌┐└┘├┤┬┴┼▀▄█▌▐░▒▓⌠■∙√≈≤≥\u{a0}⌡°²·÷═║╒ё╓╔╕╖╗╘╙╚╛╜╝╞╟╠╡Ё╢╣╤╥╦╧╨╩╪╫╬©юабцдефгх\
         ийклмнопярстужвьызшэщчъЮАБЦДЕФГХИЙКЛМНОПЯРСТУЖВЬЫЗШЭЩЧЪ",
    ),
    SingleByte::new(
        "koi8u",
        "─│┌┐└┘├┤┬┴┼▀▄█▌▐░▒▓⌠■•√≈≤≥\u{a0}⌡°²·÷═║╒ёє╔ії╗╘╙╚╛ґ╝╞╟╠╡ЁЄ╣ІЇ╦╧╨╩╪Ґ╬©юабцдефгх\
         ийклмнопярстужвьызшэщчъЮАБЦДЕФГХИЙКЛМНОПЯРСТУЖВЬЫЗШЭЩЧЪ",
    ),
    SingleByte::new(
        "latin1",
        "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ\u{a0}¡¢£¤¥¦§¨©ª«¬\
         \u{ad}®¯°±²³´µ¶·¸¹º»¼½¾¿ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖ×ØÙÚÛÜÝÞßàáâãäåæçèéêëìíîïðñòóôõ\
         ö÷øùúûüýþÿ",
    ),
    SingleByte::iso(
        "latin2",
        "\u{a0}Ą˘Ł¤ĽŚ§¨ŠŞŤŹ\u{ad}ŽŻ°ą˛ł´ľśˇ¸šşťź˝žżŔÁÂĂÄĹĆÇČÉĘËĚÍÎĎĐŃŇÓÔŐÖ×ŘŮÚŰÜÝŢßŕáâă\
         äĺćçčéęëěíîďđńňóôőö÷řůúűüýţ˙",
    ),
    SingleByte::iso(
        "latin5",
        "\u{a0}¡¢£¤¥¦§¨©ª«¬\u{ad}®¯°±²³´µ¶·¸¹º»¼½¾¿ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏĞÑÒÓÔÕÖ×ØÙÚÛÜİŞßàáâã\
         äåæçèéêëìíîïğñòóôõö÷øùúûüışÿ",
    ),
    SingleByte::iso(
        "latin7",
        "\u{a0}”¢£¤„¦§Ø©Ŗ«¬\u{ad}®Æ°±²³“µ¶·ø¹ŗ»¼½¾æĄĮĀĆÄÅĘĒČÉŹĖĢĶĪĻŠŃŅÓŌÕÖ×ŲŁŚŪÜŻŽßąįāć\
         äåęēčéźėģķīļšńņóōõö÷ųłśūüżž’",
    ),
    SingleByte::new(
        "macce",
        "ÄĀāÉĄÖÜáąČäčĆćéŹźĎíďĒēĖóėôöõúĚěü†°Ę£§•¶ß®©™ę¨≠ģĮįĪ≤≥īĶ∂∑łĻļĽľĹĺŅņŃ¬√ńŇ∆«»…\
         \u{a0}ňŐÕőŌ–—“”‘’÷◊ōŔŕŘ‹›řŖŗŠ‚„šŚśÁŤťÍŽžŪÓÔūŮÚůŰűŲųÝýķŻŁżĢˇ",
    ),
    SingleByte::new(
        "macroman",
        "ÄÅÇÉÑÖÜáàâäãåçéèêëíìîïñóòôöõúùûü†°¢£§•¶ß®©™´¨≠ÆØ∞±≤≥¥µ∂∑∏π∫ªºΩæø¿¡¬√ƒ≈∆«»…\
         \u{a0}ÀÃÕŒœ–—“”‘’÷◊ÿŸ⁄€‹›ﬁﬂ‡·‚„‰ÂÊÁËÈÍÎÏÌÓÔ\u{f8ff}ÒÚÛÙıˆ˜¯˘˙˚¸˝˛ˇ",
    ),
    SingleByte::iso(
        "tis620",
        "�กขฃคฅฆงจฉชซฌญฎฏฐฑฒณดตถทธนบปผฝพฟภมยรฤลฦวศษสหฬอฮฯะ\u{e31}าำ\u{e34}\u{e35}\
         \u{e36}\u{e37}\u{e38}\u{e39}\u{e3a}����฿เแโใไๅๆ\u{e47}\u{e48}\u{e49}\u{e4a}\
         \u{e4b}\u{e4c}\u{e4d}\u{e4e}๏๐๑๒๓๔๕๖๗๘๙๚๛����",
    ),
];
